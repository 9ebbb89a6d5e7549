"""What tests share, beside the real servers: stores, peers and hosts that they drive."""
