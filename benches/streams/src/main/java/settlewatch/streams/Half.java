package settlewatch.streams;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What a join needs of a payment or of a credit; a credit may leave out all but the amount and the currency. */
record Half(long amountMinor, String currency, String channel, String merchant, String terminal, String paidAt) {

    private static final JsonFactory JSON = new JsonFactory();

    /**
     * Reads one event of the wanted type, field by field: no tree is built.
     *
     * @return the half, or null where the event is not of this type or lacks what it must have
     */
    static Half parse(String wanted, byte[] event) {
        String type = null;
        String paymentId = null;
        String currency = null;
        String channel = null;
        String merchant = null;
        String terminal = null;
        String occurredAt = null;
        long amountMinor = 0;
        try (JsonParser parser = JSON.createParser(event)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                parser.nextToken();
                switch (field) {
                    case "type" -> type = parser.getValueAsString();
                    case "payment_id" -> paymentId = parser.getValueAsString();
                    case "amount_minor" -> amountMinor = parser.getValueAsLong();
                    case "currency" -> currency = parser.getValueAsString();
                    case "channel" -> channel = parser.getValueAsString();
                    case "merchant_id" -> merchant = parser.getValueAsString();
                    case "terminal_id" -> terminal = parser.getValueAsString();
                    case "occurred_at" -> occurredAt = parser.getValueAsString();
                    default -> parser.skipChildren();
                }
            }
        } catch (IOException malformed) {
            return null;
        }
        boolean complete = wanted.equals(type) && paymentId != null && occurredAt != null && amountMinor > 0;
        return complete ? new Half(amountMinor, currency, channel, merchant, terminal, occurredAt) : null;
    }

    /** The form in which it lies in the stores and their change logs: shorter than the event. */
    byte[] pack() {
        byte[][] texts = {utf8(currency), utf8(channel), utf8(merchant), utf8(terminal), utf8(paidAt)};
        int length = Long.BYTES;
        for (byte[] text : texts) {
            length += Short.BYTES + text.length;
        }
        ByteBuffer packed = ByteBuffer.allocate(length).putLong(amountMinor);
        for (byte[] text : texts) {
            packed.putShort((short) text.length).put(text);
        }
        return packed.array();
    }

    static Half unpack(byte[] bytes) {
        ByteBuffer packed = ByteBuffer.wrap(bytes);
        long amountMinor = packed.getLong();
        return new Half(amountMinor, text(packed), text(packed), text(packed), text(packed), text(packed));
    }

    private static byte[] utf8(String text) {
        return text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(ByteBuffer packed) {
        int length = packed.getShort();
        if (length == 0) {
            return null;
        }
        String text = new String(packed.array(), packed.position(), length, StandardCharsets.UTF_8);
        packed.position(packed.position() + length);
        return text;
    }
}
