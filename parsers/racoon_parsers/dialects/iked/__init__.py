"""iked of racoon2, which cloud providers run as their VPN gateways: racoon's IKEv1 beside an IKEv2 of its own."""
