package settlewatch.streams;

import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/** Payments left-joined with their credits by payment id, exactly once; alerts where a credit is missing or differs. */
public final class LeftJoin {

    private static final String USAGE =
            "usage: LeftJoin BROKERS APPLICATION PAYMENTS CREDITS ALERTS STATE_FOLDER THREADS TIER_MS plain|tuned|memory";
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(30);

    private LeftJoin() {}

    public static void main(String[] args) throws InterruptedException {
        if (args.length != 9) {
            System.err.println(USAGE);
            System.exit(2);
        }
        Topology topology = topology(args[2], args[3], args[4], Duration.ofMillis(Long.parseLong(args[7])));
        KafkaStreams streams = new KafkaStreams(topology, settings(args));
        CountDownLatch ended = new CountDownLatch(1);
        boolean[] failed = {false};
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            failed[0] = true;
            ended.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((now, before) -> System.out.println("state " + now));
        Thread closing = new Thread(() -> {
            // It leaves its group: whoever comes next need not wait for its session to end.
            streams.close(CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
                    .withTimeout(CLOSE_WITHIN));
            ended.countDown();
        });
        Runtime.getRuntime().addShutdownHook(closing);
        streams.start();
        ended.await();
        if (failed[0]) {
            Runtime.getRuntime().halt(1);
        }
    }

    /**
     * No grace: a credit appended after the tier is late. The window looks back as far as ahead, as the plain form of
     * such a window does; a credit that was appended before its payment joins too.
     */
    private static Topology topology(String payments, String credits, String alerts, Duration tier) {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, Half> paid = half(builder, payments, "payment.succeeded");
        KStream<String, Half> credited = half(builder, credits, "terminal.credited");
        Serde<Half> packed = Serdes.serdeFrom((topic, half) -> half == null ? null : half.pack(),
                (topic, bytes) -> bytes == null ? null : Half.unpack(bytes));
        paid.leftJoin(credited, Verdict::of, JoinWindows.ofTimeDifferenceWithNoGrace(tier),
                        StreamJoined.with(Serdes.String(), packed, packed))
                .filter((paymentId, alert) -> alert != null)
                .to(alerts, Produced.with(Serdes.String(), Serdes.String()));
        return builder.build();
    }

    private static KStream<String, Half> half(StreamsBuilder builder, String topic, String type) {
        Serializer<Half> never = (name, half) -> {
            throw new IllegalStateException("events are only read");
        };
        Deserializer<Half> parsed = (name, event) -> event == null ? null : Half.parse(type, event);
        // What cannot be used is null, and goes no further.
        return builder.stream(topic, Consumed.with(Serdes.String(), Serdes.serdeFrom(never, parsed)))
                .filter((paymentId, half) -> half != null);
    }

    private static Properties settings(String[] args) {
        Properties settings = new Properties();
        settings.putAll(Map.of(
                StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0],
                StreamsConfig.APPLICATION_ID_CONFIG, args[1],
                StreamsConfig.STATE_DIR_CONFIG, args[5],
                StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[6],
                StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2,
                StreamsConfig.REPLICATION_FACTOR_CONFIG, 1,
                // What Streams takes for exactly once, named because the comparison rests on it.
                StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest"));
        switch (args[8]) {
            case "plain" -> {}
            case "tuned" -> {
                tune(settings);
                settings.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, RocksTuning.class);
            }
            case "memory" -> {
                tune(settings);
                settings.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG,
                        BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
            }
            default -> throw new IllegalArgumentException(USAGE);
        }
        return settings;
    }

    /** Larger fetches and batches, compressed change logs, fewer trips between the consumer and the tasks. */
    private static void tune(Properties settings) {
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 5_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 64 << 20);
    }
}
