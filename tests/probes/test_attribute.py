"""An attribute that holds a function: found, replaced, restored."""

from __future__ import annotations

import functools
import json
import operator
import pickle
import random
import sys
import types

import pytest

from checkpoints._probes.attribute import Attribute
from checkpoints.errors import ConfigError

wrapt = pytest.importorskip("wrapt")


def wrapper(function, _instance, args, kwargs):
    return ("wrapped", function(*args, **kwargs))


def replaced(root, path, *, enabled=True):
    attribute = Attribute(root, path)
    attribute.replace(wrapper, lambda: enabled)
    return attribute


@pytest.fixture
def module():
    made = types.ModuleType("made")

    class Outer:
        class Inner:
            def method(self, x):
                return x

        def plain(self, x):
            return x

    made.Outer = Outer
    made.function = lambda x: x
    return made


class TestReplace:
    def test_a_function_of_a_module(self, module):
        replaced(module, "function")
        assert module.function(1) == ("wrapped", 1)

    def test_a_method_deep_in_classes(self, module):
        replaced(module, "Outer.Inner.method")
        assert module.Outer.Inner().method(1) == ("wrapped", 1)

    def test_calls_the_function_itself_where_it_is_not_enabled(self, module):
        replaced(module, "function", enabled=False)
        assert module.function(1) == 1

    def test_leaves_its_text_in_what_a_program_prints(self, module):
        module.add = operator.add
        replaced(module, "add")
        assert (repr(module.add), str(module.add)) == (repr(operator.add),) * 2

    def test_gives_a_method_its_object_among_the_arguments(self, module):
        replaced(module, "Outer.plain")
        outer = module.Outer()
        assert module.Outer.plain(outer, 1) == outer.plain(1) == ("wrapped", 1)
        assert outer.plain.__self__ is outer

    def test_a_function_that_a_module_makes_up_when_it_is_asked_for(self):
        made = types.ModuleType("made")
        made.__getattr__ = lambda name: len if name == "lazy" else None
        attribute = replaced(made, "lazy")
        assert made.lazy([1]) == ("wrapped", 1)
        assert attribute.restore()
        assert "lazy" not in vars(made)

    def test_twice_is_refused(self, module):
        replaced(module, "function")
        with pytest.raises(ConfigError, match="is already probed"):
            Attribute(module, "function")

    def test_twice_names_the_place_that_was_replaced(self, module):
        replaced(module, "function")
        other = types.ModuleType("other")
        other.function = module.function
        with pytest.raises(ConfigError, match="is already probed, in made: remove"):
            Attribute(other, "function")

    def test_of_what_an_object_holds_is_refused(self, module):
        module.settings = types.SimpleNamespace(f=len)
        with pytest.raises(ConfigError, match="belongs to an object"):
            Attribute(module, "settings.f")

    def test_of_a_static_method_that_is_inherited_is_refused(self, module):
        module.Outer.passed_on = staticmethod(lambda: 0)
        module.Heir = type("Heir", (module.Outer,), {})
        with pytest.raises(ConfigError, match=r"inherited.*\.Outer\.passed_on"):
            Attribute(module, "Heir.passed_on")

    def test_of_what_binds_in_a_way_of_its_own_is_refused(self, module):
        module.Outer.odd = wrapt.FunctionWrapper(module.Outer.plain, wrapper)
        with pytest.raises(ConfigError, match="is not bound as a method"):
            Attribute(module, "Outer.odd")


class TestInherited:
    @pytest.fixture
    def family(self):
        made = types.ModuleType("family")

        class Base:
            def f(self):
                return "Base"

            @classmethod
            def make(cls):
                return cls.__name__

        class Heir(Base):
            pass

        class Sibling(Base):
            def f(self):
                return "Sibling"

        class Both(Heir, Sibling):
            pass

        for kind in (Base, Heir, Sibling, Both):
            setattr(made, kind.__name__, kind)
        return made

    def test_is_replaced_for_objects_of_the_class_that_is_named(self, family):
        replaced(family, "Heir.f")
        assert family.Heir().f() == family.Heir.f(family.Heir()) == ("wrapped", "Base")
        assert family.Base().f() == family.Base.f(family.Base()) == "Base"
        assert family.Base.f(self=family.Base()) == "Base"

    def test_is_replaced_for_the_class_that_is_named(self, family):
        replaced(family, "Heir.make")
        assert family.Heir.make() == family.Heir().make() == ("wrapped", "Heir")
        assert family.Both.make() == ("wrapped", "Both")
        assert family.Base.make() == "Base"
        assert family.Sibling.make() == "Sibling"

    @pytest.mark.parametrize("enabled", [False, True])
    def test_hides_nothing_that_a_sibling_defines(self, family, enabled):
        replaced(family, "Heir.f", enabled=enabled)
        assert family.Both().f() == "Sibling"
        assert family.Heir.f is family.Base.f
        assert "f" not in vars(family.Heir)

    def test_is_put_back_where_it_is_defined(self, family):
        before = vars(family.Base)["f"]
        assert replaced(family, "Heir.f").restore()
        assert vars(family.Base)["f"] is before

    def test_twice_is_refused_and_says_where(self, family):
        replaced(family, "Heir.f")
        with pytest.raises(ConfigError, match=r"already probed, in .*\.Base: remove"):
            Attribute(family, "Base.f")


class TestPickles:
    @pytest.fixture
    def tools(self, monkeypatch):
        made = types.ModuleType("made_tools")
        made.drawn = random.Random(3).randint
        made.increased = functools.partial(operator.add, 1)
        made.add = operator.add
        monkeypatch.setitem(sys.modules, "made_tools", made)
        return made

    def pickled(self, value):
        return pickle.loads(pickle.dumps(value))

    def test_of_a_method_of_an_object_are_that_method(self, tools):
        replaced(tools, "drawn")
        function = self.pickled(tools.drawn)
        assert function(1, 10**9) == random.Random(3).randint(1, 10**9)

    def test_of_what_has_no_name_are_that_thing(self, tools):
        replaced(tools, "increased")
        assert tools.increased(2) == ("wrapped", 3)
        assert self.pickled(tools.increased)(2) == 3

    def test_of_what_has_its_name_elsewhere_are_what_lies_there(self, tools):
        replaced(tools, "add")
        assert self.pickled(tools.add) is operator.add

    def test_of_what_is_nowhere_cannot_be_made_as_without(self, module):
        replaced(module, "function")
        with pytest.raises((TypeError, pickle.PicklingError)):
            pickle.dumps(module.function)


class TestRestore:
    def test_puts_back_the_very_object(self, module):
        before = vars(module.Outer)["plain"]
        assert replaced(module, "Outer.plain").restore()
        assert vars(module.Outer)["plain"] is before

    def test_leaves_what_is_not_ours(self, module):
        attribute = replaced(module, "function")
        module.function = 5
        assert not attribute.restore()
        assert module.function == 5


class TestMessages:
    def test_name_the_place_and_the_nearest(self):
        with pytest.raises(
            ConfigError, match=r"cannot probe 'dmups' of json: .*did you mean 'dumps'\?"
        ):
            Attribute(json, "dmups")
        with pytest.raises(
            ConfigError, match=r"cannot probe 'decod' of json\..*JSONDecoder: "
        ):
            Attribute(json, "JSONDecoder.decod")
        with pytest.raises(
            ConfigError, match=r"cannot probe 'zzz' of json: not found; there are"
        ):
            Attribute(json, "zzz.f")
