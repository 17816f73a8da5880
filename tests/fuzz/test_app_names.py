import pkgutil

from fuzz import app


def test_no_module_takes_the_name_of_a_function() -> None:
    modules = {module.name for module in pkgutil.iter_modules(app.__path__)}
    functions = {name for name in vars(app) if callable(getattr(app, name)) and name.islower()}
    assert {"run", "plan", "replay", "show"} <= functions
    assert modules & functions == set()
