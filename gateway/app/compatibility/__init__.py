"""What clients that worked with one surface meet at another: pure functions over two surfaces."""
