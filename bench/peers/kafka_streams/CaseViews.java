import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Kafka Streams: the views as an aggregate, in RocksDB and on a changelog, one thread, its cache and commits as by
 * default (10 MB; every 30 s at least once, every 100 ms exactly once).
 *
 * https://kafka.apache.org/41/documentation/streams/developer-guide/dsl-api.html#aggregating,
 * https://kafka.apache.org/41/documentation/streams/developer-guide/memory-mgmt.html (the cache),
 * https://kafka.apache.org/41/documentation/streams/developer-guide/config-streams.html (guarantee, commits).
 */
public final class CaseViews {
    private static final long LOOK_MS = 10;
    private static final ObjectMapper JSON =
            new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
    private static final ObjectReader EVENTS = JSON.readerFor(Event.class);
    private static final ObjectReader VIEWS = JSON.readerFor(View.class);
    private static final ObjectWriter WRITER = JSON.writerFor(View.class);
    private static final OperatingSystemMXBean SYSTEM =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    /** What the fold reads of an event. */
    public static final class Event {
        public String id;
        public String type;
    }

    /** As `View` of bench/kafka_fold.py. */
    public static final class View {
        public int count;
        public String last = "";
        public Map<String, Integer> types = new LinkedHashMap<>();
    }

    private final long events;
    private final long warm;
    private final CountDownLatch folded = new CountDownLatch(1);
    private long count;
    private volatile long began;
    private volatile long cpuBegan;
    private volatile Throwable failed;

    private CaseViews(long events, long warm) {
        this.events = events;
        this.warm = warm;
    }

    /** As `Fold` of bench/kafka_fold.py. */
    private View fold(String key, byte[] value, View view) {
        try {
            Event event = EVENTS.readValue(value);
            view.count++;
            view.last = event.id;
            view.types.merge(event.type, 1, Integer::sum);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        count++;
        if (count == warm) {
            began = System.nanoTime();
            cpuBegan = SYSTEM.getProcessCpuTime();
        }
        if (count == events) {
            folded.countDown();
        }
        return view;
    }

    private static Serde<View> views() {
        return Serdes.serdeFrom(
                (topic, view) -> {
                    try {
                        return view == null ? null : WRITER.writeValueAsBytes(view);
                    } catch (IOException unwritable) {
                        throw new UncheckedIOException(unwritable);
                    }
                },
                (topic, bytes) -> {
                    try {
                        return bytes == null ? null : VIEWS.readValue(bytes);
                    } catch (IOException unreadable) {
                        throw new UncheckedIOException(unreadable);
                    }
                });
    }

    private static long committed(Admin admin, String group) throws Exception {
        return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values().stream()
                .filter(Objects::nonNull)
                .mapToLong(OffsetAndMetadata::offset)
                .sum();
    }

    public static void main(String[] arguments) throws Exception {
        JsonNode task = JSON.readTree(arguments[0]);
        CaseViews cases = new CaseViews(task.get("events").asLong(), task.get("warm").asLong());
        String name = task.get("name").asText();
        String bootstrap = task.get("bootstrap").asText();

        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, name);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, task.get("directory").asText());
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, task.get("options").get("guarantee").asText());
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(task.get("source").asText(), Consumed.with(Serdes.String(), Serdes.ByteArray()))
                .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
                .aggregate(
                        View::new,
                        cases::fold,
                        Materialized.<String, View, KeyValueStore<Bytes, byte[]>>as("views")
                                .withKeySerde(Serdes.String())
                                .withValueSerde(views()));

        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.setUncaughtExceptionHandler(
                error -> {
                    cases.failed = error;
                    cases.folded.countDown();
                    return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
                });
        streams.start();
        cases.folded.await();
        // Closing writes what the cache holds, waits for it and commits; what it does after that is not counted.
        Thread closing = new Thread(() -> streams.close(Duration.ofMinutes(1)));
        closing.start();
        try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap))) {
            while (cases.failed == null && committed(admin, name) < cases.events) {
                if (!closing.isAlive() && committed(admin, name) < cases.events) {
                    throw new IllegalStateException("Kafka Streams closed without committing all");
                }
                Thread.sleep(LOOK_MS);
            }
        }
        long elapsed = System.nanoTime() - cases.began;
        long cpu = SYSTEM.getProcessCpuTime() - cases.cpuBegan;
        closing.join();
        if (cases.failed != null) {
            throw new IllegalStateException("Kafka Streams failed", cases.failed);
        }
        System.out.println(
                JSON.writeValueAsString(
                        Map.of(
                                "events", cases.count - cases.warm,
                                "s", elapsed / 1e9,
                                "cpu_s", cpu / 1e9,
                                "changelog", name + "-views-changelog")));
    }
}
