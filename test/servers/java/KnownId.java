import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.bson.Document;

/**
 * The index of `_id`, used by every query that names one. The server uses its own only for queries of nothing else, and reads
 * all documents of a collection to answer `{_id: 1, revision: 2}`.
 */
final class KnownId<P> extends Index<P> {
  private static final String ID = "_id";

  private final Index<P> inner;

  KnownId(Index<P> inner) {
    super(inner.getName(), inner.getKeys(), false);
    this.inner = inner;
  }

  private Document narrowed(Document query) {
    return inner.canHandle(query) || !query.containsKey(ID) ? query : new Document(ID, query.get(ID));
  }

  @Override
  public boolean canHandle(Document query) {
    return inner.canHandle(narrowed(query));
  }

  @Override
  public Iterable<P> getPositions(Document query) {
    return inner.getPositions(narrowed(query));
  }

  @Override
  public P getPosition(Document document) {
    return inner.getPosition(document);
  }

  @Override
  public void checkAdd(Document document, MongoCollection<P> collection) {
    inner.checkAdd(document, collection);
  }

  @Override
  public void add(Document document, P position, MongoCollection<P> collection) {
    inner.add(document, position, collection);
  }

  @Override
  public P remove(Document document) {
    return inner.remove(document);
  }

  @Override
  public void checkUpdate(Document before, Document after, MongoCollection<P> collection) {
    inner.checkUpdate(before, after, collection);
  }

  @Override
  public void updateInPlace(Document before, Document after, P position, MongoCollection<P> collection) {
    inner.updateInPlace(before, after, position, collection);
  }

  @Override
  public boolean isEmpty() {
    return inner.isEmpty();
  }

  @Override
  public long getCount() {
    return inner.getCount();
  }

  @Override
  public long getDataSize() {
    return inner.getDataSize();
  }

  @Override
  public boolean isUnique() {
    return true;
  }

  @Override
  public void drop() {
    inner.drop();
  }
}
