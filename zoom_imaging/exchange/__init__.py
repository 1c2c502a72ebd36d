"""Results in the forms that other systems read: DICOM structured reports, FHIR, training sets."""
