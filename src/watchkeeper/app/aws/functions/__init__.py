"""What Lambda runs: each module is one function, and its zip is the modules that it imports.

They import the standard library, `core`, `botocore` and what of `app` needs no more; a test holds every zip
to that.
"""
