"""Recordings: exchanges as entries of a HAR, in files and back, without secrets; no mock is registered here.

What goes into a file or is printed has gone through `entries.without_secrets`.
"""
