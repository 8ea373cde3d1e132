"""WebSocket: streams in both directions between clients and gRPC methods of all four kinds."""
