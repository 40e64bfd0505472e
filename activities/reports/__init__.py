"""Readers of the reports that tools write: JUnit XML, Cobertura XML and SARIF."""
