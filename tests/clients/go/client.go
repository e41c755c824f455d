// The cases of ../README.md with grpc-go.
//
// Run by clients_test.py: go_client ADDRESS
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"viewcount/v1"
)

const timeout = 30 * time.Second

// The sizes of the burst: the number of concurrent calls, with 20 KB each way, for articles that no call requested
// before. A call repeats its articles, so that all calls together fit into the queue to Redis.
const (
	burstCalls        = 200
	articlesOfACall   = 50
	differentArticles = 2
	articleBytes      = 400
)

// A channel with a separate connection.
type channel struct {
	connection *grpc.ClientConn
	ingest     viewcount_v1.IngestServiceClient
	query      viewcount_v1.QueryServiceClient
	health     grpc_health_v1.HealthClient
	reflection grpc_reflection_v1alpha.ServerReflectionClient
}

func open(address string) (*channel, error) {
	large := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64 << 20))
	connection, err := grpc.Dial(address, grpc.WithInsecure(), large)
	if err != nil {
		return nil, err
	}
	return &channel{connection, viewcount_v1.NewIngestServiceClient(connection),
		viewcount_v1.NewQueryServiceClient(connection), grpc_health_v1.NewHealthClient(connection),
		grpc_reflection_v1alpha.NewServerReflectionClient(connection)}, nil
}

func withTimeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), timeout)
}

func padded(name string, numbers ...int) string {
	text := "/" + name
	for _, number := range numbers {
		text += fmt.Sprintf("/%d", number)
	}
	return text + "/" + strings.Repeat("x", articleBytes-len(text))
}

// Returns the articles of one call of the burst. No other call requests them.
func articlesOf(name string, round, call int) []string {
	var articles []string
	for number := 0; number < articlesOfACall; number++ {
		articles = append(articles, padded(name, round, call, number%differentArticles))
	}
	return articles
}

// One message with all of these is larger than every client's window.
func longArticles(name string) []string {
	var articles []string
	for number := 0; number < 1000; number++ {
		articles = append(articles, padded(name, number))
	}
	return articles
}

func viewsOf(articles ...string) []*viewcount_v1.View {
	var views []*viewcount_v1.View
	for _, article := range articles {
		views = append(views, &viewcount_v1.View{ArticleId: article})
	}
	return views
}

func (c *channel) record(articles []string, options ...grpc.CallOption) error {
	ctx, cancel := withTimeout()
	defer cancel()
	request := viewcount_v1.RecordViewsRequest{Site: "demo", Views: viewsOf(articles...)}
	answer, err := c.ingest.RecordViews(ctx, &request, options...)
	if err == nil && answer.AcceptedViews != uint64(len(articles)) {
		return fmt.Errorf("%d of %d views were accepted", answer.AcceptedViews, len(articles))
	}
	return err
}

func (c *channel) countsAt(ctx context.Context, articles []string, options ...grpc.CallOption) ([]uint64, error) {
	answer, err := c.query.GetCounts(ctx, &viewcount_v1.GetCountsRequest{Site: "demo", ArticleIds: articles}, options...)
	if err != nil {
		return nil, err
	}
	if len(answer.Counts) != len(articles) {
		return nil, fmt.Errorf("%d counts of %d articles", len(answer.Counts), len(articles))
	}
	var views []uint64
	for place, count := range answer.Counts {
		if count.ArticleId != articles[place] {
			return nil, fmt.Errorf("%q instead of %q", count.ArticleId, articles[place])
		}
		views = append(views, count.Views)
	}
	return views, nil
}

func (c *channel) expectCounts(articles []string, expected ...uint64) error {
	ctx, cancel := withTimeout()
	defer cancel()
	views, err := c.countsAt(ctx, articles)
	if err == nil && fmt.Sprint(views) != fmt.Sprint(expected) {
		return fmt.Errorf("counts %v instead of %v", views, expected)
	}
	return err
}

func (c *channel) watch(ctx context.Context, articles ...string) (viewcount_v1.QueryService_WatchCountsClient, error) {
	return c.query.WatchCounts(ctx, &viewcount_v1.WatchCountsRequest{Site: "demo", ArticleIds: articles})
}

func nextChange(stream viewcount_v1.QueryService_WatchCountsClient) ([]*viewcount_v1.ArticleCount, error) {
	for {
		message, err := stream.Recv()
		if err != nil || len(message.Counts) > 0 {
			return message.GetCounts(), err
		}
	}
}

// Returns the codes that concurrent calls end with.
func codesOf(calls int, call func(number int) error) map[codes.Code]int {
	results := make(chan codes.Code, calls)
	for number := 0; number < calls; number++ {
		go func(number int) { results <- status.Code(call(number)) }(number)
	}
	found := map[codes.Code]int{}
	for number := 0; number < calls; number++ {
		found[<-results]++
	}
	return found
}

// Every code must be one of the allowed codes, and the last allowed code must occur.
func expectCodes(found map[codes.Code]int, allowed ...codes.Code) error {
	others := 0
	for _, count := range found {
		others += count
	}
	for _, code := range allowed {
		others -= found[code]
	}
	if others != 0 || found[allowed[len(allowed)-1]] == 0 {
		return fmt.Errorf("codes %v, allowed are %v", found, allowed)
	}
	return nil
}

func unary(c *channel) error {
	if err := c.record([]string{"/go/a", "/go/b", "/go/a"}); err != nil {
		return err
	}
	return c.expectCounts([]string{"/go/a", "/go/none", "/go/b"}, 2, 0, 1)
}

func stream(c *channel) error {
	ctx, cancel := withTimeout()
	defer cancel()
	call, err := c.ingest.StreamViews(ctx)
	if err != nil {
		return err
	}
	for sent := 0; sent < 100; sent++ {
		if err := call.Send(&viewcount_v1.StreamViewsRequest{Site: "demo", Views: viewsOf("/go/stream")}); err != nil {
			return err
		}
	}
	if err := call.CloseSend(); err != nil {
		return err
	}
	for answered := 0; answered < 100; answered++ {
		answer, err := call.Recv()
		if err != nil {
			return err
		}
		if answer.AcceptedViews != 1 {
			return fmt.Errorf("accepted %d", answer.AcceptedViews)
		}
	}
	if _, err := call.Recv(); err != io.EOF {
		return fmt.Errorf("%v instead of the end", err)
	}
	return c.expectCounts([]string{"/go/stream"}, 100)
}

func watch(c *channel) error {
	ctx, cancel := withTimeout()
	defer cancel()
	call, err := c.watch(ctx, "/go/watch", "/go/still")
	if err != nil {
		return err
	}
	if first, err := nextChange(call); err != nil || len(first) != 2 {
		return fmt.Errorf("first %v, %v", first, err)
	}
	if err := c.record([]string{"/go/watch"}); err != nil {
		return err
	}
	changed, err := nextChange(call)
	if err == nil && (len(changed) != 1 || changed[0].ArticleId != "/go/watch" || changed[0].Views != 1) {
		return fmt.Errorf("changed: %v", changed)
	}
	return err
}

func deadlines(c *channel) error {
	short := func(duration time.Duration) context.Context {
		ctx, _ := context.WithTimeout(context.Background(), duration)
		return ctx
	}
	found := codesOf(20, func(int) error {
		call, err := c.watch(short(50*time.Millisecond), "/go/watch")
		for err == nil {
			_, err = call.Recv()
		}
		return err
	})
	if err := expectCodes(found, codes.DeadlineExceeded); err != nil {
		return err
	}
	// A stream that the client leaves open.
	call, err := c.ingest.StreamViews(short(50 * time.Millisecond))
	if err != nil {
		return err
	}
	if _, err := call.Recv(); status.Code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("the stream ended with %v", err)
	}
	found = codesOf(300, func(number int) error {
		_, err := c.countsAt(short(time.Duration(500+500*(number%9))*time.Microsecond), articlesOf("go-late", 0, number))
		return err
	})
	return expectCodes(found, codes.OK, codes.DeadlineExceeded)
}

func cancellations(c *channel) error {
	for round := 0; round < 5; round++ {
		ctx, cancel := withTimeout()
		go func(round int) {
			time.Sleep(time.Duration(round) * time.Millisecond)
			cancel()
		}(round)
		found := codesOf(80, func(number int) error {
			if number < 60 {
				_, err := c.countsAt(ctx, articlesOf("go-gone", round, number))
				return err
			}
			call, err := c.watch(ctx, "/go/watch")
			for err == nil {
				_, err = call.Recv()
			}
			return err
		})
		if err := expectCodes(found, codes.OK, codes.Canceled); err != nil {
			return err
		}
	}
	return c.expectCounts([]string{"/go/none"}, 0)
}

func compression(c *channel) error {
	var articles []string
	for number := 0; number < 1000; number++ {
		articles = append(articles, fmt.Sprintf("/go/compressed/%d", number))
	}
	if err := c.record(articles, grpc.UseCompressor(gzip.Name)); err != nil {
		return err
	}
	ctx, cancel := withTimeout()
	defer cancel()
	views, err := c.countsAt(ctx, articles, grpc.UseCompressor(gzip.Name))
	for _, count := range views {
		if count != 1 {
			return fmt.Errorf("counts %v", views)
		}
	}
	return err
}

func largeMetadata(c *channel) error {
	ctx, cancel := withTimeout()
	defer cancel()
	large := ctx
	for number := 0; number < 6; number++ {
		large = metadata.AppendToOutgoingContext(large, fmt.Sprintf("x-large-%d", number), strings.Repeat("v", 1000))
	}
	if _, err := c.countsAt(large, []string{"/go/none"}); err != nil {
		return err
	}
	// A stream on the same connection must not be affected by the refused call.
	call, err := c.watch(ctx, "/go/metadata")
	if err != nil {
		return err
	}
	if _, err := nextChange(call); err != nil {
		return err
	}
	for _, size := range []int{70_000, 200_000} {
		huge := metadata.AppendToOutgoingContext(ctx, "x-huge", strings.Repeat("v", size))
		if _, err := c.countsAt(huge, []string{"/go/none"}); err == nil {
			return fmt.Errorf("%d bytes of metadata were taken", size)
		}
		if err := c.record([]string{"/go/metadata"}); err != nil {
			return err
		}
		if _, err := nextChange(call); err != nil {
			return fmt.Errorf("the other call of the connection ended: %v", err)
		}
	}
	return nil
}

func blanks(c *channel) error {
	ctx, cancel := withTimeout()
	defer cancel()
	_, err := c.countsAt(metadata.AppendToOutgoingContext(ctx, "x-blanks", " both ", "x-blank", " "), []string{"/go/none"})
	return err
}

func expectDetail(err error, code codes.Code, matches func(detail interface{}) bool) error {
	if status.Code(err) != code {
		return fmt.Errorf("%v instead of %v", err, code)
	}
	for _, detail := range status.Convert(err).Details() {
		if matches(detail) {
			return nil
		}
	}
	return fmt.Errorf("details are %v", status.Convert(err).Details())
}

func errors(c *channel) error {
	err := expectDetail(c.record([]string{"/go/a", "/go/\n"}), codes.InvalidArgument, func(detail interface{}) bool {
		request, ok := detail.(*errdetails.BadRequest)
		return ok && len(request.FieldViolations) == 1 && request.FieldViolations[0].Field == "views[1].article_id"
	})
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout()
	defer cancel()
	_, err = c.query.GetCounts(ctx, &viewcount_v1.GetCountsRequest{Site: "nobody", ArticleIds: []string{"/go/a"}})
	return expectDetail(err, codes.NotFound, func(detail interface{}) bool {
		info, ok := detail.(*errdetails.ErrorInfo)
		return ok && info.Reason == "UNKNOWN_SITE"
	})
}

func health(c *channel) error {
	// Concurrent calls, because gRPC's own server answers this method.
	found := codesOf(500, func(int) error {
		ctx, cancel := withTimeout()
		defer cancel()
		answer, err := c.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		if err == nil && answer.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			return fmt.Errorf("%v", answer)
		}
		return err
	})
	return expectCodes(found, codes.OK)
}

func reflection(c *channel) error {
	ctx, cancel := withTimeout()
	defer cancel()
	call, err := c.reflection.ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	question := grpc_reflection_v1alpha.ServerReflectionRequest_ListServices{}
	if err := call.Send(&grpc_reflection_v1alpha.ServerReflectionRequest{MessageRequest: &question}); err != nil {
		return err
	}
	answer, err := call.Recv()
	if err != nil {
		return err
	}
	names := fmt.Sprint(answer.GetListServicesResponse().GetService())
	if !strings.Contains(names, "viewcount.v1.QueryService") || !strings.Contains(names, "grpc.health.v1.Health") {
		return fmt.Errorf("services are %s", names)
	}
	return call.CloseSend()
}

func burst(c *channel) error {
	rounds := 20
	if given := os.Getenv("BURST_ROUNDS"); given != "" {
		rounds, _ = strconv.Atoi(given)
	}
	for round := 0; round < rounds; round++ {
		var wait sync.WaitGroup
		failures := make(chan error, burstCalls)
		for call := 0; call < burstCalls; call++ {
			wait.Add(1)
			go func(call int) {
				defer wait.Done()
				ctx, cancel := withTimeout()
				defer cancel()
				if _, err := c.countsAt(ctx, articlesOf("go", round, call)); err != nil {
					failures <- fmt.Errorf("round %d: %w", round, err)
				}
			}(call)
		}
		wait.Wait()
		if len(failures) > 0 {
			return <-failures
		}
	}
	return nil
}

// Opens streams that are never read.
func hold(ctx context.Context, address string) (*channel, error) {
	c, err := open(address)
	if err != nil {
		return nil, err
	}
	for streams := 0; streams < 20; streams++ {
		call, err := c.watch(ctx, longArticles("go-held")...)
		if err != nil {
			return nil, err
		}
		if _, err := call.Header(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func slowReaders(c *channel) error {
	ctx, cancel := withTimeout()
	defer cancel()
	held, err := hold(ctx, os.Args[1])
	if err != nil {
		return err
	}
	for round := 0; round < 3; round++ {
		if err := c.record(longArticles("go-held")); err != nil {
			return err
		}
		if err := c.expectCounts([]string{"/go/none"}, 0); err != nil {
			return err
		}
	}
	cancel()
	return held.connection.Close()
}

func retryInfo(c *channel) error {
	ctx, cancel := withTimeout()
	defer cancel()
	var refused error
	var mutex sync.Mutex
	// These are more different articles than all streams together may watch. Some other calls may find the queue to Redis
	// full.
	found := codesOf(60, func(number int) error {
		var articles []string
		for article := 0; article < 1000; article++ {
			articles = append(articles, fmt.Sprintf("/go/%d/%d", number, article))
		}
		call, err := c.watch(ctx, articles...)
		if err == nil {
			_, err = call.Recv()
		}
		if status.Code(err) == codes.ResourceExhausted {
			mutex.Lock()
			refused = err
			mutex.Unlock()
		}
		return err
	})
	if err := expectCodes(found, codes.OK, codes.Unavailable, codes.ResourceExhausted); err != nil {
		return err
	}
	return expectDetail(refused, codes.ResourceExhausted, func(detail interface{}) bool {
		info, ok := detail.(*errdetails.RetryInfo)
		return ok && (info.RetryDelay.Seconds > 0 || info.RetryDelay.Nanos > 0)
	})
}

var cases = []struct {
	name string
	test func(*channel) error
}{
	{"unary", unary}, {"stream", stream}, {"watch", watch}, {"deadlines", deadlines}, {"cancellations", cancellations},
	{"compression", compression}, {"metadata", largeMetadata}, {"blanks", blanks}, {"errors", errors},
	{"health", health}, {"reflection", reflection}, {"burst", burst}, {"slow_readers", slowReaders},
	{"retry_info", retryInfo},
}

func main() {
	c, err := open(os.Args[1])
	if err != nil {
		panic(err)
	}
	exitCode := 0
	only, chosen := os.LookupEnv("CASES")
	for _, one := range cases {
		if chosen && !strings.Contains(","+only+",", ","+one.name+",") {
			continue
		}
		began := time.Now()
		if err := one.test(c); err != nil {
			exitCode = 1
			fmt.Printf("FAILED %s after %.2f s: %v\n", one.name, time.Since(began).Seconds(), err)
		} else {
			fmt.Printf("passed %s in %.2f s\n", one.name, time.Since(began).Seconds())
		}
	}
	if _, err := hold(context.Background(), os.Args[1]); err != nil {
		fmt.Printf("FAILED hold: %v\n", err)
		os.Exit(1)
	}
	fmt.Println("holding")
	io.Copy(io.Discard, os.Stdin)
	os.Exit(exitCode)
}
