package settlewatch.streams;

/** What the join says of a payment: that its credit is missing, that it differs, or nothing. */
final class Verdict {

    private Verdict() {}

    /**
     * @param credit null where no credit came within the window
     * @return an alert, or null where the two halves fit
     */
    static String of(String paymentId, Half payment, Half credit) {
        if (credit == null) {
            return alert("credit_missing", paymentId, payment);
        }
        if (credit.currency() != null && !credit.currency().equals(payment.currency())) {
            return alert("currency_mismatch", paymentId, payment);
        }
        return credit.amountMinor() == payment.amountMinor() ? null : alert("amount_mismatch", paymentId, payment);
    }

    /** Ids of the benchmark need no escaping. */
    private static String alert(String kind, String paymentId, Half payment) {
        return "{\"kind\":\"" + kind + "\",\"payment_id\":\"" + paymentId + "\",\"channel\":\"" + payment.channel()
                + "\",\"merchant_id\":\"" + payment.merchant() + "\",\"terminal_id\":\"" + payment.terminal()
                + "\",\"amount_minor\":" + payment.amountMinor() + ",\"currency\":\"" + payment.currency()
                + "\",\"paid_at\":\"" + payment.paidAt() + "\"}";
    }
}
