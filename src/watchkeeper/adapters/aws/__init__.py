"""The ports on AWS, under the same file names as in `adapters/local`; what only AWS has lies beside them.

These modules import boto3 (`pip install 'watchkeeper[aws]'`); nothing imports them but what was asked for
AWS.
"""
