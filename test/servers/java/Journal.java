import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * A file of commands, one after the other: the length of each, then the command as BSON. What was appended is with the kernel, so it
 * survives the end of this process, though not that of the machine. An entry that was cut off by the end of the process is no entry.
 */
final class Journal {
  /** A command that was carried out on a database. */
  record Entry(String database, String command, Document query) {}

  private static final int READ_AHEAD = 1 << 20;

  private final FileChannel channel;

  /** Goes on behind the last whole entry of a file, or begins one. */
  Journal(Path file, long length) throws IOException {
    channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    channel.truncate(length).position(length);
  }

  /** An entry as it stands in the file. */
  static ByteBuffer encoded(Entry entry) {
    Document whole = new Document("d", entry.database()).append("c", entry.command()).append("q", entry.query());
    ByteBuf bytes = Unpooled.buffer(1_024);
    bytes.writeInt(0);
    BsonEncoder.encodeDocument(whole, bytes);
    bytes.setInt(0, bytes.readableBytes() - Integer.BYTES);
    return bytes.nioBuffer();
  }

  /** Appends what `encoded` gave. One at a time. */
  void append(ByteBuffer entry) throws IOException {
    while (entry.hasRemaining()) channel.write(entry);
  }

  /** Tells every whole entry of a file, in order, and answers how many bytes they take. */
  static long read(Path file, Consumer<Entry> entries) throws IOException {
    if (!Files.exists(file)) return 0;
    long end = Files.size(file);
    long at = 0;
    try (InputStream raw = Files.newInputStream(file);
        DataInputStream in = new DataInputStream(new BufferedInputStream(raw, READ_AHEAD))) {
      while (end - at >= Integer.BYTES) {
        int length = in.readInt();
        if (length > end - at - Integer.BYTES) break;
        Document whole = BsonDecoder.decodeBson(Unpooled.wrappedBuffer(in.readNBytes(length)));
        entries.accept(new Entry((String) whole.get("d"), (String) whole.get("c"), (Document) whole.get("q")));
        at += Integer.BYTES + length;
      }
    }
    return at;
  }

  void close() throws IOException {
    channel.close();
  }
}
