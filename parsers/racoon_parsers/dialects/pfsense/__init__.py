"""pfSense and m0n0wall: racoon with a patch that names the tunnel, and a page that adds hints."""
