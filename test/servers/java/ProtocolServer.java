import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.memory.MemoryCollection;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import io.netty.channel.Channel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A server for tests that speaks the MongoDB protocol, on 127.0.0.1 until it is killed.
 *
 * <pre>java ProtocolServer PORT          keeps everything in memory
 * java ProtocolServer PORT FILE     keeps it in FILE: a write that was answered survives kill -9</pre>
 *
 * mongo-java-server as it comes is too old for current drivers, has no file that is both safe and fast, and reads all of a
 * collection for most queries. This is changed here, and nothing else: what it answers to a query or an update is its own.
 */
public final class ProtocolServer {
  /** What current drivers ask for at least is wire version 9; 13 is that of MongoDB 5.0. */
  private static final MongoVersion VERSION = new MongoVersion() {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(5, 0, 0);
    }

    @Override
    public int getWireVersion() {
      return 13;
    }
  };

  private static final Set<String> GREETINGS = Set.of("hello", "ismaster");

  /** What comes after us: the backend itself. */
  @FunctionalInterface
  private interface Answer {
    Document to(String command, Document query);
  }

  /** A greeting that drivers of today accept; a transaction is refused, because its writes would stay after an abort. */
  private static Document answer(String command, Document query, Answer backend) {
    if (query.containsKey("autocommit")) {
      throw new MongoServerError(20, "IllegalOperation", "This server has no transactions");
    }
    if (!GREETINGS.contains(command.toLowerCase(Locale.ROOT))) return backend.to(command, query);
    Document greeting = backend.to("ismaster", query);
    greeting.put("isWritablePrimary", true);
    greeting.put("maxWriteBatchSize", 100_000);
    return greeting;
  }

  private static <P> Index<P> known(Index<P> index) {
    return index.getKeys().size() == 1 && index.getKeys().get(0).getKey().equals("_id") ? new KnownId<>(index) : index;
  }

  static class InMemory extends MemoryBackend {
    @Override
    public MemoryDatabase openOrCreateDatabase(String name) {
      return new MemoryDatabase(name, getCursorRegistry()) {
        /** The server would write out each document once more at every change, to know how many bytes it has. */
        @Override
        protected MemoryCollection openOrCreateCollection(String collection, CollectionOptions options) {
          return new MemoryCollection(this, collection, options, cursorRegistry) {
            @Override
            protected boolean tracksDataSize() {
              return false;
            }
          };
        }

        @Override
        protected Index<Integer> openOrCreateUniqueIndex(String collection, String index, List<IndexKey> keys, boolean sparse) {
          return known(super.openOrCreateUniqueIndex(collection, index, keys, sparse));
        }

        @Override
        protected Index<Integer> openOrCreateSecondaryIndex(String collection, String index, List<IndexKey> keys, boolean sparse) {
          return new SortedIndex<>(index, keys, sparse);
        }
      };
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
      return answer(command, query, (name, document) -> super.handleCommand(channel, database, name, document));
    }
  }

  private ProtocolServer() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    int port = Integer.parseInt(arguments[0]);
    MongoBackend backend = arguments.length == 1 ? new InMemory() : new InFile(Path.of(arguments[1]));
    MongoServer server = new MongoServer(backend.version(VERSION));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    server.bind("127.0.0.1", port);
    Thread.currentThread().join();
  }
}
