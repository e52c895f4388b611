import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.ObjectId;
import de.bwaldvogel.mongo.exception.MongoServerError;
import io.netty.channel.Channel;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Keeps everything in memory, and each write command in a journal before it is carried out; at the start all of them are carried
 * out again. They come to the same, because writes are done one after the other in the order of the journal and none may depend on
 * anything but what is stored: ids are given here, and what would need a clock is refused.
 */
final class InFile extends ProtocolServer.InMemory {
  private static final Set<String> WRITES = Set.of(
      "insert", "update", "delete", "findandmodify", "create", "drop", "dropdatabase", "renamecollection",
      "createindexes", "dropindexes");
  private static final int DOCUMENTS_AT_ONCE = 500;
  /** A journal that grew by so much is begun anew from what it came to: carrying out an update again costs what it cost at first. */
  private static final long LONG = 24L << 20;

  private final Path file;
  private final Channel nobody = new EmbeddedChannel();
  private final Object order = new Object();
  private Journal journal;
  private long grown;

  InFile(Path file) throws IOException {
    this.file = file;
    grown = Journal.read(file, this::again);
    journal = new Journal(file, grown);
    if (grown > LONG) compact();
  }

  /** What failed then fails now, and just as far. */
  private void again(Journal.Entry entry) {
    try {
      super.handleCommand(nobody, entry.database(), entry.command(), entry.query());
    } catch (MongoServerError refused) {
      // It was answered with this very error.
    }
  }

  @Override
  public Document handleCommand(Channel channel, String database, String command, Document query) {
    checkRepeatable(query);
    if (!WRITES.contains(command.toLowerCase(Locale.ROOT)) || query.containsKey("autocommit")) {
      return super.handleCommand(channel, database, command, query);
    }
    giveIds(query);
    query.remove("lsid");
    ByteBuffer entry = Journal.encoded(new Journal.Entry(database, command, query));
    synchronized (order) {
      try {
        if (grown > LONG) compact();
        grown += entry.remaining();
        journal.append(entry);
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
      return super.handleCommand(channel, database, command, query);
    }
  }

  private static void giveIds(Document query) {
    for (Document each : documentsIn(query, "documents")) each.putIfAbsent("_id", new ObjectId());
  }

  /** Throws for what would come to something else the next time. */
  private static void checkRepeatable(Document query) {
    checkUpdate(query, "query", "update");
    for (Document each : documentsIn(query, "updates")) checkUpdate(each, "q", "u");
    for (Document stage : documentsIn(query, "pipeline")) {
      if (stage.containsKey("$out") || stage.containsKey("$merge")) throw refused("a pipeline that writes");
    }
  }

  private static void checkUpdate(Document part, String filter, String update) {
    if (Boolean.TRUE.equals(part.get("upsert")) && part.get(filter) instanceof Document given && !given.containsKey("_id")) {
      throw refused("an upsert without _id");
    }
    if (part.get(update) instanceof Document given && given.containsKey("$currentDate")) throw refused("$currentDate");
  }

  private static MongoServerError refused(String what) {
    return new MongoServerError(72, "InvalidOptions", "With a file, this server refuses " + what);
  }

  @SuppressWarnings("unchecked")
  private static Collection<Document> documentsIn(Document query, String name) {
    return query.get(name) instanceof Collection<?> documents ? (Collection<Document>) documents : List.of();
  }

  /** Puts commands that make what there is in place of the journal. */
  private void compact() throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    Journal target = new Journal(fresh, 0);
    for (String database : listDatabaseNames()) {
      for (String collection : namesIn(database)) write(database, collection, target);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    journal.close();
    journal = target;
    grown = 0;
  }

  private List<String> namesIn(String database) {
    Document answer = super.handleCommand(nobody, database, "listCollections", new Document("listCollections", 1));
    return firstBatch(answer).stream().map(each -> (String) each.get("name")).filter(name -> !name.startsWith("system.")).toList();
  }

  private void write(String database, String name, Journal target) throws IOException {
    append(target, database, "create", new Document("create", name));
    Document answer = super.handleCommand(nobody, database, "listIndexes", new Document("listIndexes", name));
    List<Document> indexes = firstBatch(answer).stream().filter(each -> !"_id_".equals(each.get("name"))).toList();
    if (!indexes.isEmpty()) {
      append(target, database, "createIndexes", new Document("createIndexes", name).append("indexes", indexes));
    }
    MongoCollection<?> collection = resolveDatabase(database).resolveCollection(name, false);
    List<Document> documents = new ArrayList<>();
    for (Document each : collection.queryAll()) {
      documents.add(each);
      if (documents.size() == DOCUMENTS_AT_ONCE) insert(target, database, name, documents);
    }
    if (!documents.isEmpty()) insert(target, database, name, documents);
  }

  private static void insert(Journal target, String database, String name, List<Document> documents) throws IOException {
    append(target, database, "insert", new Document("insert", name).append("documents", documents));
    documents.clear();
  }

  private static void append(Journal target, String database, String command, Document query) throws IOException {
    target.append(Journal.encoded(new Journal.Entry(database, command, query)));
  }

  @SuppressWarnings("unchecked")
  private static List<Document> firstBatch(Document answer) {
    return List.copyOf((Collection<Document>) ((Document) answer.get("cursor")).get("firstBatch"));
  }
}
