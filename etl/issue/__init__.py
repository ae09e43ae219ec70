"""From the province's list to one sealed workbook per unit (M2, M6–M9, M18)."""
