"""Saves to object stores: what holds whatever happens on the way to a server."""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import pickle
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
import servers
from proxy import (
    CUTS,
    CUTS_REQUEST,
    ERRS,
    ERRS_AFTER,
    FAILS,
    LOSES_REPLY,
    PASSES,
    REFUSES,
    STALLS,
    before,
)

from checkpoints import (
    ConfigError,
    FileHandler,
    MissingDependencyError,
    UnknownOutcomeError,
    checkpoint,
    config,
    diff,
    index,
    load,
    runs,
    tags,
    verify,
)
from checkpoints._index.headers import read_headers
from checkpoints._index.index import listing_of
from checkpoints.storage import _objects, _stores, open_store
from checkpoints.storage._words import Words

pytest.importorskip("obstore", reason="it talks to the servers")

ONCE = {"retry_config": {"max_retries": 0}}
# For a server that does not answer; one that does may take longer on a busy machine.
HASTY = {"client_options": {"timeout": "1s"}, **ONCE}


def first(*ways):
    """Break the first requests that write in these ways, and pass the others."""
    left = list(ways)

    def breaks(request):
        is_write = request.startswith("PUT")
        return left.pop(0) if left and is_write else PASSES

    return breaks


def refusal(number, code):
    """Return an answer of S3 that refuses."""
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>"
    head = f"HTTP/1.1 {number} No\r\nContent-Length: {len(text)}\r\n\r\n"
    return (head + text).encode()


def put_by_boto3(server, url):
    """Write an object as others do."""
    pytest.importorskip("boto3", reason="it writes keys that obstore does not")
    client = server.boto3()
    key = url.removeprefix("s3://bucket/")
    client.put_object(Bucket="bucket", Key=key, Body=b"text")
    client.close()


@pytest.fixture
def proxy(ministack):
    with before(ministack) as proxy:
        yield proxy


@pytest.fixture
def store(proxy, ministack, new_root):
    # A first one, so that nothing else than what a test does is broken.
    found = open_store(new_root(ministack), proxy.options(ministack, **ONCE))
    found.put(["first"], [(0, b"text")], 4)
    return found


class TestSaves:
    def test_what_is_saved_is_found_loaded_and_verified(self, ministack, new_root):
        root, options = new_root(ministack), ministack.options
        handler = FileHandler(f"{root}/{{run}}", store_options=options)
        handler.checkpoint("shop.total", prices=[1, 2], name="a")
        (entry,) = index(handler.folder, store_options=options)
        assert entry.path == f"{handler.folder}/shop/total.ckpt.zip"
        assert entry["prices"] == [1, 2]
        assert load(entry.path, "name", store_options=options) == {"name": "a"}
        assert verify(root, store_options=options).ok
        (run,) = runs(root, store_options=options)
        assert [it.name for it in run.entries()] == ["shop.total"]

    @pytest.mark.parametrize(
        ("if_exists", "expected"), [("replace", [2]), ("keep", [1, 2]), ("skip", [1])]
    )
    def test_a_key_that_is_there_is_dealt_with(
        self, ministack, new_root, if_exists, expected
    ):
        root, options = new_root(ministack), ministack.options
        handler = FileHandler(root, if_exists=if_exists, store_options=options)
        for number in (1, 2):
            handler.checkpoint("shop.total", number)
        found = index(root, store_options=options)
        assert [entry.load()["data"] for entry in found] == expected

    def test_an_entry_of_a_pickled_index_is_loaded(self, ministack, new_root):
        root, options = new_root(ministack), ministack.options
        FileHandler(root, store_options=options).checkpoint("a", 1)
        found = pickle.loads(pickle.dumps(index(root, store_options=options)))
        assert found[0].load() == {"data": 1}

    @pytest.mark.parametrize("size", [10, 1 << 21])
    def test_a_save_takes_one_request_and_replacing_is_told(
        self, store, proxy, caplog, size
    ):
        handler = FileHandler(f"{store.root}/b", store_options=store.options)
        handler.checkpoint("first", 1)
        del proxy.requests[:]
        handler.checkpoint("a", b"x" * size)
        assert len(proxy.requests) == (1 if size == 10 else 2)
        handler.checkpoint("a", b"y" * size)
        assert "'a' was already saved by this run" in caplog.text
        entry = index(handler.folder, store_options=store.options).where("a")[0]
        assert entry["data"] == b"y" * size

    def test_a_header_takes_one_request_and_a_value_two_more(
        self, ministack, proxy, new_root
    ):
        numpy = pytest.importorskip("numpy")
        root, options = new_root(ministack), proxy.options(ministack)
        handler = FileHandler(root, store_options=ministack.options)
        handler.checkpoint("a", **{name: numpy.ones(1 << 17) for name in "xyz"})
        entry = index(root, store_options=options)[0]
        del proxy.requests[:]
        assert entry.meta["name"] == "a"
        assert len(proxy.requests) == 1
        del proxy.requests[:]
        assert entry["y"].sum() == 1 << 17
        assert len(proxy.requests) == 3

    def test_of_equal_runs_the_end_of_each_file_is_read_and_no_more(
        self, ministack, proxy, new_root
    ):
        roots = [new_root(ministack), new_root(ministack)]
        for root in roots:
            handler = FileHandler(root, store_options=ministack.options)
            for number in range(3):
                with tags(number=number):
                    handler.checkpoint("a", bytes([number]) * 100_000)
        options = proxy.options(ministack)
        found = diff(*(index(root, store_options=options) for root in roots))
        assert found.verdict == "equal"
        assert len([it for it in proxy.requests if ".ckpt.zip" in it]) == 2 * 3


class TestFaults:
    def test_a_save_whose_reply_is_lost_is_known_by_its_mark(self, store, proxy):
        proxy.breaks = first(LOSES_REPLY)
        assert store.put(["a"], [(0, b"mine")], 4) == "a"
        proxy.breaks = first(LOSES_REPLY)
        assert store.put(["a"], [(0, b"more")], 4, replace=True) == "a"

    def test_of_somebody_else_it_is_told_that_it_is_there(self, store, proxy):
        store.put(["a"], [(0, b"text")], 4)
        proxy.breaks = first(LOSES_REPLY)
        with pytest.raises((FileExistsError, UnknownOutcomeError)):
            store.put(["a"], [(0, b"mine")], 4)

    @pytest.mark.parametrize(
        ("ways", "replace"),
        [
            ([LOSES_REPLY, *[REFUSES] * 3], True),
            ([ERRS_AFTER, *[REFUSES] * 3], False),
            ([ERRS_AFTER, PASSES, *[REFUSES] * 3], False),
        ],
        ids=["replaced", "created", "found"],
    )
    def test_one_that_arrived_is_not_said_to_have_failed_when_the_server_is_gone_then(
        self, store, proxy, ministack, ways, replace
    ):
        retries = {"max_retries": 2}
        options = proxy.options(ministack, retry_config=retries)
        left = list(ways)
        proxy.breaks = lambda _: left.pop(0) if left else REFUSES
        with pytest.raises(UnknownOutcomeError, match="cannot be reached"):
            open_store(store.root, options).put(
                ["a"], [(0, b"mine")], 4, replace=replace
            )
        proxy.breaks = lambda _: PASSES
        assert store.status("a").size == 4

    def test_a_server_that_does_not_answer_is_not_waited_for(
        self, store, proxy, ministack
    ):
        hasty = open_store(store.root, proxy.options(ministack, **HASTY))
        proxy.breaks = lambda _: STALLS
        started = time.monotonic()
        with pytest.raises(UnknownOutcomeError, match=r"answer in time; raise"):
            hasty.put(["a"], [(0, b"text")], 4)
        assert time.monotonic() - started < servers.PATIENCE
        proxy.breaks = lambda _: PASSES
        assert store.status("a") is None

    def test_a_server_that_is_busy_is_asked_again(
        self, proxy, ministack, new_root, store
    ):
        options = proxy.options(ministack)
        again = open_store(store.root, options)
        proxy.breaks = first(FAILS, FAILS)
        again.put(["a"], [(0, b"text")], 4, replace=True)
        assert again.status("a").size == 4

    def test_a_file_that_is_cut_on_the_way_is_an_error(self, store, proxy):
        data = bytes(range(256)) * 400
        store.put(["a"], [(0, data)], len(data))
        with store.open("a") as file:
            proxy.breaks = lambda _: CUTS
            with pytest.raises(OSError, match=r"broke off|answer"):
                file.read_into(0, memoryview(bytearray(1000)))

    @pytest.mark.parametrize("way", [CUTS_REQUEST, ERRS, REFUSES])
    def test_what_is_sent_in_parts_is_replaced_only_when_all_have_arrived(
        self, store, proxy, way
    ):
        size = 12 << 20
        store.put(["a"], [(0, b"old")], 3)
        proxy.requests.clear()
        proxy.breaks = lambda request: way if "partNumber=2" in request else PASSES
        with pytest.raises((OSError, UnknownOutcomeError)):
            store.put(["a"], [(0, bytes(size))], size, replace=True)
        assert sum("partNumber=" in it for it in proxy.requests) > 1
        assert store.status("a").size == len(b"old")
        proxy.breaks = lambda _: PASSES
        store.put(["a"], [(0, bytes(size))], size, replace=True)
        assert store.status("a").size == size

    @pytest.mark.parametrize("way", [LOSES_REPLY, ERRS_AFTER])
    def test_parts_whose_last_reply_is_lost_are_known_by_their_mark(
        self, store, proxy, way
    ):
        size = 12 << 20
        left = [way]
        proxy.breaks = lambda request: (
            left.pop()
            if left and "POST" in request and "uploadId" in request
            else PASSES
        )
        assert store.put(["a"], [(0, bytes(size))], size, replace=True) == "a"
        assert not left

    def test_a_file_that_is_replaced_while_it_is_read_is_told(self, store):
        data = bytes(range(256)) * 400
        store.put(["a"], [(0, data)], len(data))
        with store.open("a") as file:
            store.put(["a"], [(0, data[::-1])], len(data), replace=True)
            with pytest.raises(OSError, match="replaced while it was read"):
                file.read_into(0, memoryview(bytearray(1000)))

    def test_a_server_that_ignores_the_condition_is_told_once(
        self, rclone, new_root, caplog
    ):
        options = rclone.options
        stores = [open_store(new_root(rclone), options) for _ in range(2)]
        for name in ("a", "b"):
            stores[0].put([name], [(0, b"text")], 4)
        told = [it for it in caplog.messages if "replaces existing objects" in it]
        assert len(told) == 1
        with pytest.raises(FileExistsError):
            stores[0].put(["a"], [(0, b"more")], 4)
        assert [files for _, files in stores[0].walk()] == [["a", "b"]]


class TestListings:
    @pytest.fixture
    def listed(self, store, proxy, monkeypatch):
        """List so many folders with a file each; tell the requests that it took."""
        monkeypatch.setattr(_objects, "_FEW", 4)
        monkeypatch.setattr(_objects, "_FEW_FOLDERS", 2)

        def listed(count, **options):
            for number in range(count):
                store.put([f"day={number}/a"], [(0, b"text")], 4)
            del proxy.requests[:]
            assert len(list(store.walk(**options))) == count + 1
            return proxy.requests

        return listed

    def test_many_small_folders_are_listed_at_once(self, listed):
        assert len(listed(6)) == 1

    def test_few_folders_are_listed_each_by_itself(self, listed, monkeypatch):
        monkeypatch.setattr(_objects, "_FEW_FOLDERS", 20)
        assert len(listed(6)) == 2 + 6

    def test_folders_that_are_not_entered_are_left_out(self, listed, store, proxy):
        for number in range(3):
            store.put([f"a/{number}"], [(0, b"text")], 4)
        requests = listed(3, enters=lambda folder: folder != ("a",))
        assert not any("prefix=" in it and "%2Fa%2F" in it for it in requests)

    def test_headers_are_read_several_at_a_time(self, store):
        handler = FileHandler(f"{store.root}/b", store_options=store.options)
        for number in range(12):
            with tags(number=number):
                handler.checkpoint("a", number)
        listing = listing_of(index(handler.folder, store_options=store.options))
        together = threading.Barrier(3, timeout=servers.PATIENCE)
        found = read_headers(listing, lambda _: together.wait() >= 0)
        assert list(found) == [True] * 12


class TestBackground:
    def test_all_that_a_throttling_server_refuses_first_arrives(
        self, proxy, ministack, new_root
    ):
        root, options = new_root(ministack), proxy.options(ministack)
        handler = FileHandler(root, background=True, store_options=options)
        count = itertools.count()
        proxy.breaks = lambda it: FAILS if next(count) % 2 and "PUT" in it else PASSES
        for number in range(40):
            with tags(number=number):
                handler.checkpoint("a", number)
        handler.flush()
        proxy.breaks = lambda _: PASSES
        found = index(root, store_options=options)
        assert sorted(entry["data"] for entry in found) == [*range(40)]

    def test_the_last_save_of_a_key_wins(self, ministack, new_root):
        root, options = new_root(ministack), ministack.options
        handler = FileHandler(root, background=True, store_options=options)
        for number in range(30):
            for name in ("a", "b", "c"):
                handler.checkpoint(name, number)
        handler.flush()
        found = index(root, store_options=options)
        assert [entry["data"] for entry in found] == [29] * 3

    def test_all_saves_of_a_key_are_kept_in_order(self, ministack, new_root):
        root, options = new_root(ministack), ministack.options
        handler = FileHandler(
            root, background=True, if_exists="keep", store_options=options
        )
        for number in range(20):
            handler.checkpoint("a", number)
        handler.flush()
        found = index(root, store_options=options)
        assert [entry["data"] for entry in found] == [*range(20)]


class TestForks:
    def _save(self, root, options, number):
        FileHandler(root, store_options=options).checkpoint("a", number)

    @pytest.mark.skipif(
        "fork" not in multiprocessing.get_all_start_methods(), reason="it cannot fork"
    )
    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    def test_a_forked_child_of_a_process_that_saved_saves(self, ministack, new_root):
        root, options = new_root(ministack), ministack.options
        self._save(root, options, 0)
        context = multiprocessing.get_context("fork")
        places = [f"{root}/child={number}" for number in range(2)]
        children = [
            context.Process(target=self._save, args=(place, options, number))
            for number, place in enumerate(places)
        ]
        for child in children:
            child.start()
        for child in children:
            child.join(servers.PATIENCE)
            if child.exitcode is None:
                child.kill()
            assert child.exitcode == 0
        saved = [index(place, store_options=options)[0].load() for place in places]
        assert saved == [{"data": 0}, {"data": 1}]


class TestSecrets:
    def test_no_message_repr_or_header_has_them(self, ministack, new_root, caplog):
        root, options = new_root(ministack), ministack.options
        handler = FileHandler(root, store_options=options)
        with caplog.at_level(logging.DEBUG):
            handler.checkpoint("a", 1)
        found = index(root, store_options=options)
        (run,) = runs(root, store_options=options)
        shown = [repr(it) for it in (handler, found, found[0], run, open_store(root))]
        texts = [*shown, *caplog.messages, str(found[0].meta), str(run.record)]
        assert not any(servers.SECRET in text for text in texts)
        assert "store_options={'access_key_id': ..., " in shown[0]

    @pytest.mark.parametrize(
        "options",
        [
            {"nonsense": servers.SECRET},
            {"client_options": {"nonsense": servers.SECRET}},
            {"endpoint": f"http://127.0.0.1:1/?key={servers.SECRET}", **ONCE},
        ],
        ids=["option", "option of the client", "address"],
    )
    def test_no_error_has_them_nor_what_it_comes_from(self, options):
        given = {"access_key_id": "key", "secret_access_key": servers.SECRET}
        store = open_store("s3://bucket/a", {**given, **options})
        with pytest.raises((OSError, ConfigError)) as told:
            store.put(["a"], [(0, b"text")], 4, replace=True)
        lines = traceback.format_exception(told.value)
        assert servers.SECRET not in "".join(lines)

    def test_a_password_in_a_root_is_refused_without_it(self):
        with pytest.raises(ConfigError, match="give it in store_options") as told:
            FileHandler(f"ftp://me:{servers.SECRET}@host/a")
        assert servers.SECRET not in str(told.value)

    def test_options_that_are_no_dict_are_refused_without_them(self):
        with pytest.raises(ConfigError, match="of type str: expected a dict") as told:
            FileHandler("s3://bucket", store_options=servers.SECRET)
        assert servers.SECRET not in str(told.value)


class TestBadInput:
    def test_a_bucket_that_is_missing_is_named(self, ministack):
        options = ministack.options
        with pytest.raises(FileNotFoundError, match="There is no bucket 'none'"):
            FileHandler("s3://none/a", store_options=options).checkpoint("a", 1)
        with pytest.raises(FileNotFoundError, match="There is no bucket 'none'"):
            index("s3://none/a", store_options=options)

    def test_a_server_that_is_not_there_is_told(self, ministack):
        endpoint = f"http://127.0.0.1:{servers.free_port()}"
        options = {**ministack.options, "endpoint": endpoint, **ONCE}
        with pytest.raises(
            ConnectionError, match="cannot be reached; correct endpoint"
        ):
            FileHandler("s3://bucket/a", store_options=options).checkpoint("a", 1)

    def test_a_typo_in_the_scheme_is_told_with_what_there_is(self):
        with pytest.raises(ConfigError, match=r"s4://; there are .*'s3'"):
            FileHandler("s4://bucket/a")

    def test_a_library_that_fsspec_needs_and_is_not_there_is_told(self, monkeypatch):
        pytest.importorskip("fsspec")
        monkeypatch.setitem(sys.modules, "aiohttp", None)
        monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
        with pytest.raises(MissingDependencyError, match="http:// needs more"):
            index("http://127.0.0.1/a")

    @pytest.mark.parametrize("root", ["s3:/bucket/a", "s3:bucket/a", "S3:/bucket/a"])
    def test_slashes_that_are_missing_are_told(self, root, tmp_path, monkeypatch):
        with pytest.raises(ConfigError, match="did you mean 's3://bucket/a'"):
            FileHandler(root)
        monkeypatch.chdir(tmp_path)
        FileHandler(f"./{root}").checkpoint("a", 1)
        assert len(index(f"./{root}")) == 1

    def test_a_scheme_in_capitals_is_that_scheme(self, ministack, new_root):
        root = new_root(ministack).replace("s3", "S3")
        FileHandler(root, store_options=ministack.options).checkpoint("a", 1)
        (entry,) = index(root, store_options=ministack.options)
        assert entry.load() == {"data": 1}

    def test_credentials_that_are_missing_are_told(self):
        # A proxy, or the machine itself, may refuse to be asked for them.
        refuses = "GET http://169.254.169.254/latest/api/token: status code: 403"
        told = Words("s3://bucket/a", "bucket", {}).told(OSError(refuses), "")
        assert isinstance(told, PermissionError)
        assert "No credentials were found; give" in str(told)

    @pytest.mark.parametrize(
        "root", ["s3://", "s3:///a", "s3://bucket/a//b", "s3://bucket/../b"]
    )
    def test_a_root_that_can_be_no_key_is_refused(self, root):
        with pytest.raises(ConfigError, match="expected s3://BUCKET/FOLDER"):
            open_store(root)

    @pytest.mark.parametrize(
        ("number", "code", "told"),
        [
            (403, "InvalidAccessKeyId", "key id is not known; correct the credentials"),
            (403, "SignatureDoesNotMatch", "secret key is wrong; correct the"),
            (400, "ExpiredToken", "credentials have expired; renew them"),
            (403, "RequestTimeTooSkewed", "clock of this machine is off; set it"),
            (400, "AuthorizationHeaderMalformed", "region is wrong; set AWS_REGION"),
            (301, "PermanentRedirect", "in another region; set AWS_REGION"),
            (403, "AccessDenied", "Access is denied; give credentials as"),
        ],
    )
    def test_a_refusal_is_told_with_the_way_out(
        self, store, proxy, caplog, number, code, told
    ):
        proxy.breaks = lambda _: refusal(number, code)
        handler = FileHandler(store.root, store_options=store.options)
        with pytest.raises(OSError, match=told) as error:
            handler.checkpoint("a", 1)
        text = "".join(traceback.format_exception(error.value))
        assert store.root in text
        assert servers.SECRET not in text
        with config("refused", handler):
            checkpoint("refused.a", 1)
        assert told.split(";")[0] in caplog.text
        assert servers.SECRET not in caplog.text

    def test_a_first_save_that_is_refused_is_told_by_its_name(self, store, proxy):
        proxy.breaks = lambda _: refusal(403, "AccessDenied")
        handler = FileHandler(f"{store.root}/b", store_options=store.options)
        with pytest.raises(PermissionError) as error:
            handler.checkpoint("a", 1)
        assert error.value.filename == f"{store.root}/b/a.ckpt.zip"

    def test_who_may_not_list_saves_and_loads(self, store, proxy):
        proxy.breaks = lambda it: refusal(403, "AccessDenied") if "?" in it else PASSES
        handler = FileHandler(f"{store.root}/b", store_options=store.options)
        handler.checkpoint("a", 1)
        path = f"{store.root}/b/a.ckpt.zip"
        assert load(path, store_options=store.options) == {"data": 1}
        with pytest.raises(PermissionError, match="may not be listed; allow that"):
            index(store.root, store_options=store.options)

    @pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "minio.example.com"])
    def test_an_endpoint_without_a_scheme_is_told(self, endpoint, caplog):
        options = {"access_key_id": "key", "secret_access_key": servers.SECRET}
        options["endpoint"] = endpoint
        with pytest.raises(ConfigError, match="begin with https:// or http://"):
            index("s3://bucket/a", store_options=options)

    @pytest.mark.parametrize("key", ["a//b", "/a", "a/../b", "a\x01"])
    def test_a_key_of_others_that_hides_the_rest_is_named(
        self, ministack, new_root, key
    ):
        root, options = new_root(ministack), ministack.options
        put_by_boto3(ministack, f"{root}/{key}")
        FileHandler(root, store_options=options).checkpoint("a", 1)
        with pytest.raises(OSError, match="delete or rename that object"):
            index(root, store_options=options)

    def test_other_keys_of_others_are_left_out(self, ministack, new_root):
        root, options = new_root(ministack), ministack.options
        for key in ("readme.txt", "day=mon/", "a/b c%/é.txt"):
            put_by_boto3(ministack, f"{root}/{key}")
        FileHandler(root, store_options=options).checkpoint("a", 1)
        found = index(root, store_options=options)
        assert [entry.path for entry in found] == [f"{root}/a.ckpt.zip"]
        assert verify(root, store_options=options).ok

    def test_many_saves_of_a_key_are_not_counted_one_by_one(self, store, proxy):
        names = ["a.ckpt.zip", *(f"a.{number}.ckpt.zip" for number in range(2, 200))]
        direct = open_store(store.root, store.options)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda it: direct.put([it], [(0, b"text")], 4), names))
        handler = FileHandler(store.root, if_exists="keep", store_options=store.options)
        del proxy.requests[:]
        handler.checkpoint("a", 1)
        assert store.status("a.200.ckpt.zip").size > 4
        assert len(proxy.requests) < 30

    def test_an_extra_that_is_missing_is_named(self, monkeypatch):
        monkeypatch.setattr(_stores, "find_spec", lambda _: None)
        with pytest.raises(
            MissingDependencyError, match=r"named-checkpoints\[object-store\]"
        ):
            FileHandler("s3://bucket/a")

    def test_options_for_a_folder_are_refused(self, tmp_path):
        for take in (FileHandler, index):
            with pytest.raises(ConfigError, match="are for object stores"):
                take(tmp_path, store_options={"endpoint": "x"})

    def test_an_endpoint_of_the_environment_is_enough(
        self, ministack, new_root, monkeypatch
    ):
        for name, value in ministack.environment.items():
            monkeypatch.setenv(name, value)
        root = new_root(ministack)
        FileHandler(root).checkpoint("a", 1)
        assert index(root)[0].load() == {"data": 1}

    def test_a_profile_of_aws_is_taken(
        self, ministack, new_root, monkeypatch, tmp_path
    ):
        pytest.importorskip("boto3")
        (tmp_path / "credentials").write_text(
            "[mine]\naws_access_key_id = key\n"
            f"aws_secret_access_key = {servers.SECRET}\n"
        )
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("AWS_PROFILE", "mine")
        root, endpoint = new_root(ministack), ministack.options["endpoint"]
        FileHandler(root, store_options={"endpoint": endpoint}).checkpoint("a", 1)
        assert len(index(root, store_options={"endpoint": endpoint})) == 1


class TestFsspec:
    def test_what_is_saved_is_found(self, tmp_path):
        pytest.importorskip("fsspec")
        root = f"memory://{tmp_path.name}"
        FileHandler(root).checkpoint("shop.total", 12)
        (entry,) = index(root)
        assert entry.load() == load(entry.path) == {"data": 12}

    def test_where_a_system_renames_no_half_file_has_its_name(self, tmp_path):
        fsspec = pytest.importorskip("fsspec")
        store = open_store(f"local://{tmp_path}/root")
        assert store._bucket._renames
        assert not open_store("memory://a")._bucket._renames
        store.put(["a/b"], [(0, b"text")], 4)
        assert fsspec.filesystem("local").cat(f"{tmp_path}/root/a/b") == b"text"
        assert [files for _, files in store.walk()] == [["b"]]
