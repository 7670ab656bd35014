"""The example suite: 100 tests of a small client, the same ones with each of the tools that are compared."""
