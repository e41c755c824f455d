# The cases of README.md with Debian's ruby-grpc.
#
# Run by clients_test.py: client.rb ADDRESS, with the folder of the generated messages in Ruby's load path.
require 'grpc'
require 'google/protobuf/well_known_types'
require 'google/rpc/error_details_pb'
require 'google/rpc/status_pb'
require 'grpc_messages/health_services_pb'
require 'grpc_messages/reflection_services_pb'
require 'viewcount/v1/ingest_services_pb'
require 'viewcount/v1/query_services_pb'

V1 = Viewcount::V1
SECONDS_MAX = 30
# The sizes of the burst: the number of concurrent calls, with 20 KB each way, for articles that no call requested
# before. A call repeats its articles, so that all calls together fit into the queue to Redis.
BURST_ROUNDS = Integer(ENV.fetch('BURST_ROUNDS', 20))
BURST_CALLS = 200
ARTICLES_OF_A_CALL = 50
DIFFERENT_ARTICLES = 2
ARTICLE_BYTES = 400

def articles_of(name, round, call)
  Array.new(ARTICLES_OF_A_CALL) do |number|
    "/#{name}/#{round}/#{call}/#{number % DIFFERENT_ARTICLES}/".ljust(ARTICLE_BYTES, 'x')
  end
end

# One message with all of these is larger than every client's window.
def long_articles(name)
  Array.new(1000) { |number| "/#{name}/#{number}/".ljust(ARTICLE_BYTES, 'x') }
end

def expect(condition, found)
  raise "unexpected: #{found.inspect[0, 1000]}" unless condition
end

def batch(*articles, kind: V1::RecordViewsRequest)
  kind.new(site: 'demo', views: articles.map { |article| V1::View.new(article_id: article) })
end

def question(articles, site: 'demo')
  V1::GetCountsRequest.new(site: site, article_ids: articles)
end

def watching(*articles)
  V1::WatchCountsRequest.new(site: 'demo', article_ids: articles)
end

def soon(seconds = SECONDS_MAX)
  Time.now + seconds
end

# A channel with a separate connection.
class Channel
  attr_reader :ingest, :query, :health, :reflection

  def initialize(address)
    arguments = { 'grpc.use_local_subchannel_pool' => 1, 'grpc.max_receive_message_length' => -1 }
    @channel = GRPC::Core::Channel.new(address, arguments, :this_channel_is_insecure)
    @ingest = stub(V1::IngestService)
    @query = stub(V1::QueryService)
    @health = stub(Grpc::Health::V1::Health)
    @reflection = stub(Grpc::Reflection::V1alpha::ServerReflection)
  end

  def record(*articles, **options)
    answer = @ingest.record_views(batch(*articles), deadline: soon, **options)
    expect(answer.accepted_views == articles.size, answer)
  end

  def views(*articles, **options)
    answer = @query.get_counts(question(articles), deadline: soon, **options)
    expect(answer.counts.map(&:article_id) == articles, answer)
    answer.counts.map(&:views)
  end

  def close
    @channel.close
  end

  private

  def stub(service)
    service::Stub.new(nil, nil, channel_override: @channel)
  end
end

CODES = GRPC::Core::StatusCodes

# Returns the code that a block ends with. `broken_off` is the code that ends calls while their streams are read. If the
# end arrives just when ruby-grpc asks for a message, the library raises CallError instead.
def code_of(broken_off)
  yield
  CODES::OK
rescue GRPC::BadStatus => error
  error.code
rescue GRPC::Core::CallError
  broken_off
end

# Every code must be one of the allowed codes, and the last allowed code must occur.
def expect_codes(codes, *allowed)
  expect((codes - allowed).empty? && codes.include?(allowed.last), codes.tally)
end

def error_of
  yield
  raise 'the call was answered'
rescue GRPC::BadStatus => error
  error
end

# Returns a detail of the error.
def detail_of(error, kind)
  status = Google::Rpc::Status.decode(error.metadata['grpc-status-details-bin'])
  detail = status.details.find { |any| any.is(kind) }
  expect(detail, status)
  detail.unpack(kind)
end

def next_change(messages)
  loop do
    message = messages.next
    return message.counts unless message.counts.empty?
  end
end

# Runs a block several times concurrently, each on a separate thread. Returns the results.
def at_once(times, &block)
  Array.new(times) { |number| Thread.new(number, &block) }.map(&:value)
end

CASES = {
  unary: lambda do |channel|
    channel.record('/ruby/a', '/ruby/b', '/ruby/a')
    counts = channel.views('/ruby/a', '/ruby/none', '/ruby/b')
    expect(counts == [2, 0, 1], counts)
  end,

  stream: lambda do |channel|
    requests = Array.new(100) { batch('/ruby/stream', kind: V1::StreamViewsRequest) }
    answers = channel.ingest.stream_views(requests, deadline: soon).to_a
    expect(answers.map(&:accepted_views) == [1] * 100, answers)
    expect(channel.views('/ruby/stream') == [100], channel.views('/ruby/stream'))
  end,

  watch: lambda do |channel|
    call = channel.query.watch_counts(watching('/ruby/watch', '/ruby/still'), deadline: soon, return_op: true)
    messages = call.execute
    messages = messages.to_enum(:each) unless messages.respond_to?(:next)
    expect(next_change(messages).map(&:views) == [0, 0], 'first')
    channel.record('/ruby/watch')
    changed = next_change(messages)
    expect(changed.map { |count| [count.article_id, count.views] } == [['/ruby/watch', 1]], changed)
    call.cancel
  end,

  deadlines: lambda do |channel|
    codes = at_once(20) do
      code_of(CODES::DEADLINE_EXCEEDED) do
        channel.query.watch_counts(watching('/ruby/watch'), deadline: soon(0.05)).to_a
      end
    end
    expect_codes(codes, CODES::DEADLINE_EXCEEDED)
    codes = at_once(200) do |number|
      asked = question(articles_of('ruby-late', 0, number))
      code_of(nil) { channel.query.get_counts(asked, deadline: soon(0.001 * (1 + number % 9))) }
    end
    expect_codes(codes, CODES::OK, CODES::DEADLINE_EXCEEDED)
  end,

  cancellations: lambda do |channel|
    codes = (0...5).flat_map do |round|
      calls = Array.new(60) do |number|
        channel.query.get_counts(question(articles_of('ruby-gone', round, number)), deadline: soon, return_op: true)
      end
      calls += Array.new(20) { channel.query.watch_counts(watching('/ruby/watch'), deadline: soon, return_op: true) }
      threads = calls.map do |call|
        Thread.new do
          code_of(CODES::CANCELLED) do
            answer = call.execute
            answer.to_a if answer.respond_to?(:each)
          end
        end
      end
      sleep(0.002 * round)
      calls.each(&:cancel)
      threads.map(&:value)
    end
    expect_codes(codes, CODES::OK, CODES::CANCELLED)
    expect(channel.views('/ruby/none') == [0], 'next')
  end,

  compression: lambda do |channel|
    articles = Array.new(1000) { |number| "/ruby/compressed/#{number}" }
    gzip = { metadata: { 'grpc-internal-encoding-request' => 'gzip' } }
    channel.record(*articles, **gzip)
    expect(channel.views(*articles, **gzip) == [1] * 1000, 'counts')
  end,

  metadata: lambda do |channel|
    large = (0...6).to_h { |number| ["x-large-#{number}", 'v' * 1000] }
    channel.views('/ruby/none', metadata: large)
    # A stream on the same connection must not be affected by the refused call.
    messages = channel.query.watch_counts(watching('/ruby/metadata'), deadline: soon).to_enum(:each)
    next_change(messages)
    [70_000, 200_000].each do |size|
      error_of { channel.views('/ruby/none', metadata: { 'x-huge' => 'v' * size }) }
      channel.record('/ruby/metadata')
      next_change(messages)
    end
  end,

  blanks: lambda do |channel|
    channel.views('/ruby/none', metadata: { 'x-blanks' => ' both ', 'x-blank' => ' ' })
  end,

  errors: lambda do |channel|
    error = error_of { channel.record('/ruby/a', "/ruby/\n") }
    expect(error.code == CODES::INVALID_ARGUMENT, error)
    fields = detail_of(error, Google::Rpc::BadRequest).field_violations.map(&:field)
    expect(fields == ['views[1].article_id'], fields)
    error = error_of { channel.query.get_counts(question(['/ruby/a'], site: 'nobody'), deadline: soon) }
    expect(error.code == CODES::NOT_FOUND, error)
    expect(detail_of(error, Google::Rpc::ErrorInfo).reason == 'UNKNOWN_SITE', error)
  end,

  health: lambda do |channel|
    # Concurrent calls, because gRPC's own server answers this method.
    answers = at_once(200) { channel.health.check(Grpc::Health::V1::HealthCheckRequest.new, deadline: soon).status }
    expect(answers == [:SERVING] * 200, answers.tally)
  end,

  reflection: lambda do |channel|
    questions = [Grpc::Reflection::V1alpha::ServerReflectionRequest.new(list_services: '')]
    answers = channel.reflection.server_reflection_info(questions, deadline: soon).to_a
    names = answers[0].list_services_response.service.map(&:name)
    expect(names.include?('viewcount.v1.QueryService') && names.include?('grpc.health.v1.Health'), names)
  end,

  burst: lambda do |channel|
    BURST_ROUNDS.times do |round|
      at_once(BURST_CALLS) { |call| channel.views(*articles_of('ruby', round, call)) }
    end
  end,

  slow_readers: lambda do |channel|
    slow, calls = hold
    3.times do
      channel.record(*long_articles('ruby-held'))
      expect(channel.views('/ruby/none') == [0], 'next')
    end
    calls.each(&:cancel)
    slow.close
  end,

  retry_info: lambda do |channel|
    # These are more different articles than all streams together may watch. Some other calls may find the queue to
    # Redis full.
    errors = at_once(60) do |number|
      call = channel.query.watch_counts(watching(*Array.new(1000) { |article| "/ruby/#{number}/#{article}" }),
                                        deadline: soon, return_op: true)
      begin
        call.execute.first
        # No stream may end before all have sent their requests.
        [nil, call]
      rescue GRPC::BadStatus => error
        [error, nil]
      end
    end
    errors.each { |_, call| call&.cancel }
    refused = errors.map(&:first).find { |error| error&.code == CODES::RESOURCE_EXHAUSTED }
    expect(refused, 'nothing was refused')
    delay = detail_of(refused, Google::Rpc::RetryInfo).retry_delay
    expect(delay.seconds.positive? || delay.nanos.positive?, delay)
  end
}.freeze

# Opens streams that are never read.
def hold
  channel = Channel.new(ARGV[0])
  calls = Array.new(20) do
    call = channel.query.watch_counts(watching(*long_articles('ruby-held')), deadline: soon(100), return_op: true)
    # This sends the request, and reads nothing until a message is requested.
    call.execute
    call
  end
  channel.health.check(Grpc::Health::V1::HealthCheckRequest.new, deadline: soon)
  [channel, calls]
end

Thread.report_on_exception = false
failed = false
channel = Channel.new(ARGV[0])
only = ENV['CASES']&.split(',')
CASES.each do |name, test|
  next if only && !only.include?(name.to_s)

  began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  took = -> { format('%.2f s', Process.clock_gettime(Process::CLOCK_MONOTONIC) - began) }
  begin
    test.call(channel)
    puts "passed #{name} in #{took.call}"
  rescue StandardError => error
    failed = true
    puts "FAILED #{name} after #{took.call}: #{error.full_message(highlight: false)}"
  end
  $stdout.flush
end
held = hold
puts 'holding'
$stdout.flush
$stdin.read
# exit! is used, because the library's clean-up would wait for the calls.
exit!(failed || held.nil? ? 1 : 0)
