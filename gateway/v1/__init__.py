"""The generated side of `gateway/v1/*.proto`: what code generated of users' protos imports."""
