"""Results in the forms that other systems read: DICOM structured reports and FHIR."""
