"""Radiologists' review: blinded readings of every film, adjudication, lock and audit trail."""
