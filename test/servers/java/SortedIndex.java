import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.bson.Document;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * An index that is not unique, which the server lacks: it reads every document of a collection instead. It only narrows
 * down what is read, the server still checks each document it names. Kept in memory, made anew from the documents.
 */
final class SortedIndex<P> extends Index<P> {
  /** Greater than every value. */
  private static final Object MOST = new Object();
  private static final Set<String> RANGES = Set.of("$gt", "$gte", "$lt", "$lte");
  private static final int MOST_PREFIXES = 50_000;
  private static final Comparator<Object> VALUES = ValueComparator.asc();

  private final NavigableMap<List<Object>, Set<P>> positions = new TreeMap<>(SortedIndex::compare);
  private final Map<Object, P> positionsById = new HashMap<>();
  private final boolean skipsMissing;

  /** To the server it is sparse in any case: a document that it does not find here is not missed. */
  SortedIndex(String name, List<IndexKey> keys, boolean sparse) {
    super(name, keys, true);
    this.skipsMissing = sparse;
  }

  /** By values; a list that begins another one comes before it, unless MOST follows. */
  private static int compare(List<Object> a, List<Object> b) {
    for (int at = 0; at < a.size() && at < b.size(); at++) {
      Object x = a.get(at);
      Object y = b.get(at);
      int order = x == y ? 0 : x == MOST ? 1 : y == MOST ? -1 : VALUES.compare(x, y);
      if (order != 0) return order;
    }
    boolean aIsUpper = a.size() > b.size() && a.get(b.size()) == MOST;
    boolean bIsUpper = b.size() > a.size() && b.get(a.size()) == MOST;
    return aIsUpper ? 1 : bIsUpper ? -1 : Integer.compare(a.size(), b.size());
  }

  private List<List<Object>> entriesOf(Document document) {
    List<List<Object>> entries = new ArrayList<>();
    for (KeyValue values : getKeyValues(document)) {
      List<Object> entry = new ArrayList<>();
      values.forEach(entry::add);
      if (!skipsMissing || entry.stream().anyMatch(value -> value != null)) entries.add(entry);
    }
    return entries;
  }

  @Override
  public synchronized void add(Document document, P position, MongoCollection<P> collection) {
    positionsById.put(document.get("_id"), position);
    for (List<Object> entry : entriesOf(document)) {
      positions.computeIfAbsent(entry, none -> new LinkedHashSet<>()).add(position);
    }
  }

  @Override
  public synchronized P remove(Document document) {
    P position = positionsById.remove(document.get("_id"));
    for (List<Object> entry : entriesOf(document)) {
      Set<P> found = positions.get(entry);
      if (found == null) continue;
      found.remove(position);
      if (found.isEmpty()) positions.remove(entry);
    }
    return position;
  }

  @Override
  public synchronized void updateInPlace(Document before, Document after, P position, MongoCollection<P> collection) {
    if (getKeys().stream().allMatch(key -> isSame(key.getKey(), before, after))) return;
    remove(before);
    add(after, position, collection);
  }

  private static boolean isSame(String key, Document before, Document after) {
    return key.contains(".")
        ? Objects.equals(
            Utils.getSubdocumentValueCollectionAware(before, key), Utils.getSubdocumentValueCollectionAware(after, key))
        : Objects.equals(before.get(key), after.get(key));
  }

  /** What each field has to be, as far as all of it must hold. */
  private static Map<String, Object> constraintsOf(Document query) {
    Map<String, Object> constraints = new HashMap<>();
    collect(query, constraints);
    return constraints;
  }

  private static void collect(Document query, Map<String, Object> constraints) {
    for (Map.Entry<String, Object> each : query.entrySet()) {
      if (each.getKey().equals("$and")) {
        for (Object part : (Collection<?>) each.getValue()) collect((Document) part, constraints);
      } else if (!each.getKey().startsWith("$")) {
        constraints.merge(each.getKey(), each.getValue(), SortedIndex::narrower);
      }
    }
  }

  private static Object narrower(Object a, Object b) {
    return valuesOf(a) != null || (rangeOf(a) != null && valuesOf(b) == null) ? a : b;
  }

  /** The values a field may have, or null when they are not listed. */
  private static Collection<?> valuesOf(Object constraint) {
    if (constraint instanceof String || constraint instanceof Number || constraint instanceof Boolean) return List.of(constraint);
    if (!(constraint instanceof Document operators) || operators.size() != 1) return null;
    Object values = operators.containsKey("$eq") ? List.of(operators.get("$eq")) : operators.get("$in");
    return values instanceof Collection<?> list && list.stream().allMatch(SortedIndex::isPlain) ? list : null;
  }

  private static boolean isPlain(Object value) {
    return value instanceof String || value instanceof Number || value instanceof Boolean;
  }

  private static Document rangeOf(Object constraint) {
    return constraint instanceof Document operators
        && operators.entrySet().stream().anyMatch(each -> RANGES.contains(each.getKey()) && isPlain(each.getValue()))
        ? operators
        : null;
  }

  @Override
  public synchronized boolean canHandle(Document query) {
    Object first = constraintsOf(query).get(getKeys().get(0).getKey());
    return first != null && (valuesOf(first) != null || rangeOf(first) != null);
  }

  @Override
  public synchronized Iterable<P> getPositions(Document query) {
    Map<String, Object> constraints = constraintsOf(query);
    List<List<Object>> prefixes = List.of(List.of());
    Document range = null;
    for (IndexKey key : getKeys()) {
      Object constraint = constraints.get(key.getKey());
      Collection<?> values = valuesOf(constraint);
      if (values == null || (long) values.size() * prefixes.size() > MOST_PREFIXES) {
        range = values == null ? rangeOf(constraint) : null;
        break;
      }
      List<List<Object>> longer = new ArrayList<>();
      for (List<Object> prefix : prefixes) for (Object value : values) longer.add(with(prefix, value));
      prefixes = longer;
    }
    Set<P> found = new LinkedHashSet<>();
    for (List<Object> prefix : prefixes) {
      List<Object> from = bound(prefix, range, "$gte", "$gt", false);
      List<Object> to = bound(prefix, range, "$lte", "$lt", true);
      if (compare(from, to) <= 0) positions.subMap(from, true, to, true).values().forEach(found::addAll);
    }
    return found;
  }

  private static List<Object> bound(List<Object> prefix, Document range, String closed, String open, boolean upper) {
    Object value = range == null ? null : range.getOrDefault(closed, range.get(open));
    List<Object> bound = isPlain(value) ? with(prefix, value) : prefix;
    return upper ? with(bound, MOST) : bound;
  }

  private static List<Object> with(List<Object> values, Object more) {
    List<Object> longer = new ArrayList<>(values);
    longer.add(more);
    return longer;
  }

  @Override
  public P getPosition(Document document) {
    return null;
  }

  @Override
  public void checkAdd(Document document, MongoCollection<P> collection) {}

  @Override
  public void checkUpdate(Document before, Document after, MongoCollection<P> collection) {}

  @Override
  public synchronized long getCount() {
    return positions.size();
  }

  @Override
  public long getDataSize() {
    return 0;
  }

  @Override
  public void drop() {}
}
