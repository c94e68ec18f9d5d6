"""`top`: the peers in a terminal, live from the API of a running exporter. Only `screens` and `table` need Textual."""
