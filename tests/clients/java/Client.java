import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.Any;
import com.google.protobuf.Message;
import google.rpc.ErrorDetails;
import grpc.health.v1.HealthGrpc;
import grpc.health.v1.HealthOuterClass.HealthCheckRequest;
import grpc.health.v1.HealthOuterClass.HealthCheckResponse.ServingStatus;
import grpc.reflection.v1alpha.Reflection.ServerReflectionRequest;
import grpc.reflection.v1alpha.Reflection.ServerReflectionResponse;
import grpc.reflection.v1alpha.ServerReflectionGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import viewcount.v1.Ingest.RecordViewsRequest;
import viewcount.v1.Ingest.StreamViewsRequest;
import viewcount.v1.Ingest.StreamViewsResponse;
import viewcount.v1.Ingest.View;
import viewcount.v1.IngestServiceGrpc;
import viewcount.v1.Query.ArticleCount;
import viewcount.v1.Query.GetCountsRequest;
import viewcount.v1.Query.GetCountsResponse;
import viewcount.v1.Query.WatchCountsRequest;
import viewcount.v1.Query.WatchCountsResponse;
import viewcount.v1.QueryServiceGrpc;

/**
 * The cases of ../README.md with grpc-java over Netty.
 *
 * <p>Run by clients_test.py: java -cp … Client ADDRESS
 */
public class Client {
  private static final long SECONDS_MAX = 30;
  // The sizes of the burst: the number of concurrent calls, with 20 KB each way, for articles that no call requested
  // before. A call repeats its articles, so that all calls together fit into the queue to Redis.
  private static final int BURST_ROUNDS = Integer.parseInt(System.getenv().getOrDefault("BURST_ROUNDS", "20"));
  private static final int BURST_CALLS = 200;
  private static final int ARTICLES_OF_A_CALL = 50;
  private static final int DIFFERENT_ARTICLES = 2;
  private static final int ARTICLE_BYTES = 400;

  private static String address;

  /** A channel with a separate connection. */
  private static final class Channel {
    final ManagedChannel channel =
        NettyChannelBuilder.forTarget(address).usePlaintext().maxInboundMessageSize(64 << 20).build();

    <T extends AbstractStub<T>> T timed(T stub) {
      return stub.withDeadlineAfter(SECONDS_MAX, TimeUnit.SECONDS);
    }

    IngestServiceGrpc.IngestServiceBlockingStub ingest() {
      return timed(IngestServiceGrpc.newBlockingStub(channel));
    }

    QueryServiceGrpc.QueryServiceBlockingStub query() {
      return timed(QueryServiceGrpc.newBlockingStub(channel));
    }

    QueryServiceGrpc.QueryServiceFutureStub queryLater() {
      return timed(QueryServiceGrpc.newFutureStub(channel));
    }

    void record(String... articles) {
      expect(ingest().recordViews(batch(articles)).getAcceptedViews() == articles.length, "accepted");
    }

    Reader<WatchCountsRequest, WatchCountsResponse> watch(String... articles) {
      return watch(SECONDS_MAX * 1000, articles);
    }

    Reader<WatchCountsRequest, WatchCountsResponse> watch(long milliseconds, String... articles) {
      final Reader<WatchCountsRequest, WatchCountsResponse> reader = new Reader<>();
      QueryServiceGrpc.newStub(channel)
          .withDeadlineAfter(milliseconds, TimeUnit.MILLISECONDS)
          .watchCounts(watching(articles), reader);
      return reader;
    }
  }

  /** Reads a stream one message at a time. No message is read before the test requests it. */
  private static final class Reader<Q, T> implements ClientResponseObserver<Q, T> {
    private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();
    private ClientCallStreamObserver<Q> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<Q> started) {
      call = started;
      call.disableAutoRequestWithInitial(0);
    }

    @Override
    public void onNext(T message) {
      events.add(message);
    }

    @Override
    public void onError(Throwable error) {
      events.add(error);
    }

    @Override
    public void onCompleted() {
      events.add("end");
    }

    /** Returns the next message, or null at the end. */
    @SuppressWarnings("unchecked")
    T next() throws InterruptedException {
      call.request(1);
      final Object event = events.poll(SECONDS_MAX, TimeUnit.SECONDS);
      expect(event != null, "no message came");
      if (event instanceof StatusRuntimeException) throw (StatusRuntimeException) event;
      return event.equals("end") ? null : (T) event;
    }

    void cancel() {
      call.cancel("enough", null);
    }
  }

  private static void expect(boolean condition, Object found) {
    if (!condition) throw new IllegalStateException("unexpected: " + found);
  }

  private static String padded(String text) {
    return text + "x".repeat(ARTICLE_BYTES - text.length());
  }

  private static String[] articles(int size, java.util.function.IntFunction<String> make) {
    return IntStream.range(0, size).mapToObj(make).toArray(String[]::new);
  }

  private static String[] articlesOf(String name, int round, int call) {
    return articles(ARTICLES_OF_A_CALL,
        number -> padded("/" + name + "/" + round + "/" + call + "/" + number % DIFFERENT_ARTICLES + "/"));
  }

  // One message with all of these is larger than every client's window.
  private static String[] longArticles(String name) {
    return articles(1000, number -> padded("/" + name + "/" + number + "/"));
  }

  private static RecordViewsRequest batch(String... articles) {
    final RecordViewsRequest.Builder request = RecordViewsRequest.newBuilder().setSite("demo");
    for (String article : articles) request.addViews(View.newBuilder().setArticleId(article));
    return request.build();
  }

  private static GetCountsRequest question(String... articles) {
    return GetCountsRequest.newBuilder().setSite("demo").addAllArticleIds(Arrays.asList(articles)).build();
  }

  private static WatchCountsRequest watching(String... articles) {
    return WatchCountsRequest.newBuilder().setSite("demo").addAllArticleIds(Arrays.asList(articles)).build();
  }

  private static void expectCounts(GetCountsResponse answer, String[] articles, long... expected) {
    final List<String> names =
        answer.getCountsList().stream().map(ArticleCount::getArticleId).collect(Collectors.toList());
    expect(names.equals(Arrays.asList(articles)), "articles");
    final long[] views = answer.getCountsList().stream().mapToLong(ArticleCount::getViews).toArray();
    expect(expected.length == 0 || Arrays.equals(views, expected), Arrays.toString(views));
  }

  private static void expectCounts(Channel channel, String[] articles, long... expected) {
    expectCounts(channel.query().getCounts(question(articles)), articles, expected);
  }

  private static List<ArticleCount> nextChange(Reader<WatchCountsRequest, WatchCountsResponse> call)
      throws InterruptedException {
    while (true) {
      final WatchCountsResponse message = call.next();
      expect(message != null, "the stream ended");
      if (message.getCountsCount() > 0) return message.getCountsList();
    }
  }

  private interface Action {
    void run() throws Exception;
  }

  private static StatusRuntimeException errorOf(Action action) throws Exception {
    try {
      action.run();
    } catch (StatusRuntimeException error) {
      return error;
    }
    throw new IllegalStateException("the call was answered");
  }

  /** Every code must be one of the allowed codes, and the last allowed code must occur. */
  private static void expectCodes(List<Status> found, Status.Code... allowed) {
    final List<Status.Code> codes = found.stream().map(Status::getCode).collect(Collectors.toList());
    expect(Arrays.asList(allowed).containsAll(codes) && codes.contains(allowed[allowed.length - 1]),
        found.stream().map(Status::toString).distinct().collect(Collectors.toList()));
  }

  private static Status statusOf(ListenableFuture<?> answer) throws InterruptedException {
    try {
      answer.get();
      return Status.OK;
    } catch (java.util.concurrent.CancellationException error) {
      return Status.CANCELLED;
    } catch (ExecutionException error) {
      return Status.fromThrowable(error);
    }
  }

  private static Status statusOf(Reader<?, ?> call) throws InterruptedException {
    try {
      while (call.next() != null) {}
      return Status.OK;
    } catch (StatusRuntimeException error) {
      return error.getStatus();
    }
  }

  private static <T extends Message> T detailOf(StatusRuntimeException error, Class<T> kind) throws Exception {
    final byte[] bytes =
        error.getTrailers().get(Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER));
    for (Any detail : google.rpc.StatusOuterClass.Status.parseFrom(bytes).getDetailsList()) {
      if (detail.is(kind)) return detail.unpack(kind);
    }
    throw new IllegalStateException("no detail " + kind);
  }

  private static void unary(Channel channel) {
    channel.record("/java/a", "/java/b", "/java/a");
    expectCounts(channel, new String[] {"/java/a", "/java/none", "/java/b"}, 2, 0, 1);
  }

  private static void stream(Channel channel) throws Exception {
    final Reader<StreamViewsRequest, StreamViewsResponse> call = new Reader<>();
    final StreamObserver<StreamViewsRequest> requests =
        channel.timed(IngestServiceGrpc.newStub(channel.channel)).streamViews(call);
    for (int sent = 0; sent < 100; sent++) {
      requests.onNext(StreamViewsRequest.newBuilder()
                          .setSite("demo")
                          .addViews(View.newBuilder().setArticleId("/java/stream"))
                          .build());
    }
    requests.onCompleted();
    for (int answered = 0; answered < 100; answered++) expect(call.next().getAcceptedViews() == 1, answered);
    expect(call.next() == null, "an answer too many");
    expectCounts(channel, new String[] {"/java/stream"}, 100);
  }

  private static void watch(Channel channel) throws Exception {
    final Reader<WatchCountsRequest, WatchCountsResponse> call = channel.watch("/java/watch", "/java/still");
    expect(nextChange(call).size() == 2, "first");
    channel.record("/java/watch");
    final List<ArticleCount> changed = nextChange(call);
    expect(changed.size() == 1 && changed.get(0).getArticleId().equals("/java/watch") && changed.get(0).getViews() == 1,
        changed);
    call.cancel();
  }

  private static void deadlines(Channel channel) throws Exception {
    final List<Reader<WatchCountsRequest, WatchCountsResponse>> watches = new ArrayList<>();
    for (int number = 0; number < 20; number++) watches.add(channel.watch(50, "/java/watch"));
    for (Reader<?, ?> call : watches) expectCodes(List.of(statusOf(call)), Status.Code.DEADLINE_EXCEEDED);
    // A stream that the client leaves open.
    final Reader<StreamViewsRequest, StreamViewsResponse> open = new Reader<>();
    IngestServiceGrpc.newStub(channel.channel)
        .withDeadlineAfter(50, TimeUnit.MILLISECONDS)
        .streamViews(open);
    expectCodes(List.of(statusOf(open)), Status.Code.DEADLINE_EXCEEDED);
    final List<ListenableFuture<GetCountsResponse>> calls = new ArrayList<>();
    for (int number = 0; number < 300; number++) {
      calls.add(QueryServiceGrpc.newFutureStub(channel.channel)
                    .withDeadlineAfter(500 + 500 * (number % 9), TimeUnit.MICROSECONDS)
                    .getCounts(question(articlesOf("java-late", 0, number))));
    }
    final List<Status> codes = new ArrayList<>();
    for (ListenableFuture<?> call : calls) codes.add(statusOf(call));
    expectCodes(codes, Status.Code.OK, Status.Code.DEADLINE_EXCEEDED);
  }

  private static void cancellations(Channel channel) throws Exception {
    final List<Status> codes = new ArrayList<>();
    for (int round = 0; round < 5; round++) {
      final List<ListenableFuture<GetCountsResponse>> calls = new ArrayList<>();
      final List<Reader<WatchCountsRequest, WatchCountsResponse>> watches = new ArrayList<>();
      for (int number = 0; number < 60; number++) {
        calls.add(channel.queryLater().getCounts(question(articlesOf("java-gone", round, number))));
      }
      for (int number = 0; number < 20; number++) watches.add(channel.watch("/java/watch"));
      Thread.sleep(2 * round);
      for (ListenableFuture<?> call : calls) call.cancel(true);
      for (Reader<?, ?> call : watches) call.cancel();
      for (ListenableFuture<?> call : calls) codes.add(statusOf(call));
      for (Reader<?, ?> call : watches) codes.add(statusOf(call));
    }
    expectCodes(codes, Status.Code.OK, Status.Code.CANCELLED);
    expectCounts(channel, new String[] {"/java/none"}, 0);
  }

  private static void compression(Channel channel) {
    final String[] articles = articles(1000, number -> "/java/compressed/" + number);
    channel.ingest().withCompression("gzip").recordViews(batch(articles));
    final GetCountsResponse answer = channel.query().withCompression("gzip").getCounts(question(articles));
    expectCounts(answer, articles, IntStream.range(0, articles.length).mapToLong(number -> 1).toArray());
  }

  private static Metadata metadata(String... pairs) {
    final Metadata metadata = new Metadata();
    for (int place = 0; place < pairs.length; place += 2) {
      metadata.put(Metadata.Key.of(pairs[place], Metadata.ASCII_STRING_MARSHALLER), pairs[place + 1]);
    }
    return metadata;
  }

  private static void countWith(Channel channel, Metadata metadata) {
    final var attaching = MetadataUtils.newAttachHeadersInterceptor(metadata);
    channel.query().withInterceptors(attaching).getCounts(question("/java/none"));
  }

  private static void largeMetadata(Channel channel) throws Exception {
    final Metadata large = new Metadata();
    for (int number = 0; number < 6; number++) large.merge(metadata("x-large-" + number, "v".repeat(1000)));
    countWith(channel, large);
    // A stream on the same connection must not be affected by the refused call.
    final Reader<WatchCountsRequest, WatchCountsResponse> call = channel.watch("/java/metadata");
    nextChange(call);
    for (int size : new int[] {70_000, 200_000}) {
      errorOf(() -> countWith(channel, metadata("x-huge", "v".repeat(size))));
      channel.record("/java/metadata");
      nextChange(call);
    }
    call.cancel();
  }

  private static void blanks(Channel channel) {
    countWith(channel, metadata("x-blanks", " both ", "x-blank", " "));
  }

  private static void errors(Channel channel) throws Exception {
    StatusRuntimeException error = errorOf(() -> channel.record("/java/a", "/java/\n"));
    expect(error.getStatus().getCode() == Status.Code.INVALID_ARGUMENT, error);
    final ErrorDetails.BadRequest request = detailOf(error, ErrorDetails.BadRequest.class);
    expect(request.getFieldViolations(0).getField().equals("views[1].article_id"), request);
    error = errorOf(() -> channel.query().getCounts(question("/java/a").toBuilder().setSite("nobody").build()));
    expect(error.getStatus().getCode() == Status.Code.NOT_FOUND, error);
    expect(detailOf(error, ErrorDetails.ErrorInfo.class).getReason().equals("UNKNOWN_SITE"), error);
  }

  private static void health(Channel channel) throws Exception {
    // Concurrent calls, because gRPC's own server answers this method.
    final List<ListenableFuture<grpc.health.v1.HealthOuterClass.HealthCheckResponse>> answers = new ArrayList<>();
    for (int number = 0; number < 500; number++) {
      final var stub = channel.timed(HealthGrpc.newFutureStub(channel.channel));
      answers.add(stub.check(HealthCheckRequest.getDefaultInstance()));
    }
    for (var answer : answers) expect(answer.get().getStatus() == ServingStatus.SERVING, answer.get());
  }

  private static void reflection(Channel channel) throws Exception {
    final Reader<ServerReflectionRequest, ServerReflectionResponse> call = new Reader<>();
    final StreamObserver<ServerReflectionRequest> questions =
        channel.timed(ServerReflectionGrpc.newStub(channel.channel)).serverReflectionInfo(call);
    questions.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    questions.onCompleted();
    final String names = call.next().getListServicesResponse().toString();
    expect(names.contains("viewcount.v1.QueryService") && names.contains("grpc.health.v1.Health"), names);
    expect(call.next() == null, "an answer too many");
  }

  private static void burst(Channel channel) throws Exception {
    for (int round = 0; round < BURST_ROUNDS; round++) {
      final List<ListenableFuture<GetCountsResponse>> calls = new ArrayList<>();
      for (int call = 0; call < BURST_CALLS; call++) {
        calls.add(channel.queryLater().getCounts(question(articlesOf("java", round, call))));
      }
      for (int call = 0; call < BURST_CALLS; call++) {
        expectCounts(calls.get(call).get(), articlesOf("java", round, call));
      }
    }
  }

  /** Opens streams that are never read. */
  private static List<Reader<WatchCountsRequest, WatchCountsResponse>> hold(Channel slow) {
    final List<Reader<WatchCountsRequest, WatchCountsResponse>> calls = new ArrayList<>();
    for (int number = 0; number < 20; number++) calls.add(slow.watch(longArticles("java-held")));
    // When this call is answered, all streams are under way.
    slow.timed(HealthGrpc.newBlockingStub(slow.channel)).check(HealthCheckRequest.getDefaultInstance());
    return calls;
  }

  private static void slowReaders(Channel channel) throws Exception {
    final Channel slow = new Channel();
    final List<Reader<WatchCountsRequest, WatchCountsResponse>> calls = hold(slow);
    for (int round = 0; round < 3; round++) {
      channel.record(longArticles("java-held"));
      expectCounts(channel, new String[] {"/java/none"}, 0);
    }
    for (Reader<?, ?> call : calls) call.cancel();
    slow.channel.shutdownNow();
  }

  private static void retryInfo(Channel channel) throws Exception {
    // These are more different articles than all streams together may watch. Some other calls may find the queue to
    // Redis full.
    final List<Reader<WatchCountsRequest, WatchCountsResponse>> calls = new ArrayList<>();
    for (int call = 0; call < 60; call++) {
      final String prefix = "/java/" + call + "/";
      calls.add(channel.watch(articles(1000, number -> prefix + number)));
    }
    StatusRuntimeException refused = null;
    for (Reader<WatchCountsRequest, WatchCountsResponse> call : calls) {
      try {
        call.next();
      } catch (StatusRuntimeException error) {
        if (error.getStatus().getCode() == Status.Code.RESOURCE_EXHAUSTED) refused = error;
      }
    }
    for (Reader<?, ?> call : calls) call.cancel();
    expect(refused != null, "nothing was refused");
    final var delay = detailOf(refused, ErrorDetails.RetryInfo.class).getRetryDelay();
    expect(delay.getSeconds() > 0 || delay.getNanos() > 0, delay);
  }

  private interface Case {
    void run(Channel channel) throws Exception;
  }

  /** Runs a case unless the variable CASES names others. Returns false if the case failed. */
  private static boolean passes(Channel channel, String name, Case test) {
    final String only = System.getenv("CASES");
    if (only != null && !Arrays.asList(only.split(",")).contains(name)) return true;
    final long began = System.nanoTime();
    Exception failure = null;
    try {
      test.run(channel);
    } catch (Exception error) {
      failure = error;
    }
    final double seconds = (System.nanoTime() - began) / 1e9;
    if (failure == null) {
      System.out.printf("passed %s in %.2f s%n", name, seconds);
    } else {
      System.out.printf("FAILED %s after %.2f s%n", name, seconds);
      failure.printStackTrace(System.out);
    }
    return failure == null;
  }

  /** Runs all cases. Then holds streams until standard input ends. */
  public static void main(String[] words) throws Exception {
    address = words[0];
    final Channel channel = new Channel();
    boolean passed = passes(channel, "unary", Client::unary);
    passed &= passes(channel, "stream", Client::stream);
    passed &= passes(channel, "watch", Client::watch);
    passed &= passes(channel, "deadlines", Client::deadlines);
    passed &= passes(channel, "cancellations", Client::cancellations);
    passed &= passes(channel, "compression", Client::compression);
    passed &= passes(channel, "metadata", Client::largeMetadata);
    passed &= passes(channel, "blanks", Client::blanks);
    passed &= passes(channel, "errors", Client::errors);
    passed &= passes(channel, "health", Client::health);
    passed &= passes(channel, "reflection", Client::reflection);
    passed &= passes(channel, "burst", Client::burst);
    passed &= passes(channel, "slow_readers", Client::slowReaders);
    passed &= passes(channel, "retry_info", Client::retryInfo);
    hold(new Channel());
    System.out.println("holding");
    while (System.in.read() >= 0) {}
    System.exit(passed ? 0 : 1);
  }
}
