"""The web console: what customers, annotators, leads and auditors see and do, each in their own pages."""
