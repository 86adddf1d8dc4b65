"""Link transitions turned into alerts: who may see which, filters, the live stream, delivery receipts."""
