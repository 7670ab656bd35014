"""Recordings: exchanges as entries of a HAR file, written and read back, without secrets. No mock is registered here.

Everything that is written to a file or printed has passed through `entries.without_secrets`.
"""
