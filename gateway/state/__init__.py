"""What is kept beyond a call: in this process, between the workers of a machine, or in Redis.

Bytes, numbers and keys; what they mean is known by the policies that keep them. It imports nothing
else of the gateway.
"""
