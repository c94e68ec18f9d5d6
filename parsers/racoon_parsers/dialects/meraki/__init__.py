"""Cisco Meraki MX until firmware 15.12: no level, no final dot."""
