"""The reference Charging Station: sans-IO core and blocks, data, planted defects, and a shell that dials a CSMS."""
