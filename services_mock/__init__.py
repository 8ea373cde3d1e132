"""The example backends: the shop's seven services on grpcio, with seeded data and faults to order.

`python -m services_mock --replicas 2` serves them; `services_mock.testing` starts them in tests;
`python -m services_mock.issuer` gives tokens to three of the shop's users.
Nothing here is part of the gateway, and the gateway imports nothing from here.
"""
