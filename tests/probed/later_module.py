"""A module that a test imports late."""


def work(x):
    return x * 2
