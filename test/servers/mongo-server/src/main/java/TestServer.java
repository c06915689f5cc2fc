import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.h2.mvstore.MVStore;

/** Serves MongoDB's wire protocol on a port of the loopback interface, with its data in one file. */
public final class TestServer {
  private static final Set<String> READS = Set.of(
      "hello", "isMaster", "ismaster", "ping", "find", "getMore", "aggregate", "count", "listIndexes",
      "listCollections", "endSessions", "killCursors", "buildInfo", "serverStatus");

  /** What changes collections: the backend would let two of these get into each other's way, MongoDB does not. */
  private static final Set<String> CHANGES_OF_COLLECTIONS =
      Set.of("create", "createIndexes", "drop", "dropDatabase", "dropIndexes");

  public static void main(String[] args) {
    MVStore store = new MVStore.Builder().fileName(args[1]).autoCommitDisabled().open();
    MongoServer server = new MongoServer(new DurableBackend(store).version(new Version()));
    server.bind("127.0.0.1", Integer.parseInt(args[0]));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown));
  }

  /** Like a journaled MongoDB: what a client was told to be written is there after the process was killed. */
  private static final class DurableBackend extends H2Backend {
    private final ReadWriteLock collections = new ReentrantReadWriteLock();

    DurableBackend(MVStore store) {
      super(store);
    }

    @Override
    public Document handleMessage(MongoMessage message) {
      String command = message.getDocument().keySet().iterator().next();
      Lock lock = CHANGES_OF_COLLECTIONS.contains(command) ? collections.writeLock() : collections.readLock();
      lock.lock();
      try {
        Document answer = super.handleMessage(message);
        if (!READS.contains(command)) commit();
        return answer;
      } finally {
        lock.unlock();
      }
    }
  }

  /** The oldest that today's drivers still talk to is wire version 8 or 9; the server itself says less. */
  private static final class Version implements MongoVersion {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(4, 4, 0);
    }

    @Override
    public int getWireVersion() {
      return 9;
    }
  }
}
