"""What only a server can show that checks who asks for what, such as Ceph's."""

from __future__ import annotations

import json
import logging

import ceph
import pytest

from checkpoints import FileHandler, index, load
from checkpoints.storage import open_store

if not ceph.FOLDER:
    pytest.skip("`make test-ceph` runs these", allow_module_level=True)

pytest.importorskip("boto3", reason="it sets up buckets")


@pytest.fixture
def make_bucket(ministack):
    """Make a bucket that versions its objects, or denies an action."""
    client = ministack.boto3()

    def make(name, *, denied=None, versions=False):
        client.create_bucket(Bucket=name)
        if versions:
            client.put_bucket_versioning(
                Bucket=name, VersioningConfiguration={"Status": "Enabled"}
            )
        if denied:
            statement = {
                "Effect": "Deny",
                "Principal": {"AWS": ["arn:aws:iam:::user/key"]},
                "Action": [denied],
                "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
            }
            policy = {"Version": "2012-10-17", "Statement": [statement]}
            client.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
        return f"s3://{name}/a"

    yield make
    client.close()


class TestBuckets:
    def test_one_that_versions_its_objects_is_found_to_ignore_conditions(
        self, make_bucket, ministack, caplog
    ):
        root = make_bucket("versioned", versions=True)
        store = open_store(root, ministack.options)
        with caplog.at_level(logging.WARNING):
            store.put(["a"], [(0, b"first")], 5)
        assert "replaces existing objects even if it is asked not to" in caplog.text
        with pytest.raises(FileExistsError):
            store.put(["a"], [(0, b"second")], 6)
        assert [files for _, files in store.walk()] == [["a"]]

    def test_others_are_found_to_keep_to_them(self, ministack, new_root, caplog):
        store = open_store(new_root(ministack), ministack.options)
        store.put(["a"], [(0, b"text")], 4)
        assert not caplog.records


class TestPermissions:
    def test_who_may_not_list_saves_and_loads(self, make_bucket, ministack):
        root, options = (
            make_bucket("unlisted", denied="s3:ListBucket"),
            ministack.options,
        )
        FileHandler(root, store_options=options).checkpoint("a", 1)
        assert load(f"{root}/a.ckpt.zip", store_options=options) == {"data": 1}
        with pytest.raises(PermissionError, match="may not be listed; allow that"):
            index(root, store_options=options)

    def test_who_may_not_save_is_told(self, make_bucket, ministack):
        root = make_bucket("unwritten", denied="s3:PutObject")
        handler = FileHandler(root, store_options=ministack.options)
        with pytest.raises(PermissionError, match="Access is denied; give credentials"):
            handler.checkpoint("a", 1)

    @pytest.mark.parametrize(
        ("option", "told"),
        [
            ("secret_access_key", "The secret key is wrong; correct the credentials"),
            ("access_key_id", "The key id is not known; correct the credentials"),
        ],
    )
    def test_wrong_credentials_are_told(self, ministack, option, told):
        options = {**ministack.options, option: "something-else"}
        for attempt in (
            lambda: FileHandler("s3://bucket/a", store_options=options).checkpoint("a"),
            lambda: index("s3://bucket/a", store_options=options),
        ):
            with pytest.raises(PermissionError, match=told) as error:
                attempt()
            assert "something-else" not in str(error.value)
