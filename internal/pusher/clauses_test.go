package pusher

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// clauses are what the protocol asks for, topic by topic as Pusher's documents
// have them, in our own words, each with the tests that prove it. What is from
// pusher-js itself says so.
var clauses = []struct{ topic, clause, tests string }{
	{"1 Connection", "GET /app/{key} with Upgrade becomes a connection; unknown query keys are no matter", "TestAccepts TestHandshake"},
	{"1 Connection", "protocols 5, 6 and 7 are spoken; none is 4008, another 4007, a broken version 4006", "TestAccepts TestRefusals"},
	{"1 Connection", "another path is 4005, an unknown key 4001, a disabled app 4003, plain where TLS is asked for 4000", "TestRefusals TestOverTLS"},
	{"1 Connection", "over the app's quota is 4004, over the server's capacity or while it drains 4100", "TestFull TestDrain"},
	{"1 Connection", "a refused client is upgraded first, told in a pusher:error and closed with the same code, and does not come back (pusher-js)", "TestRefusals TestPusherJSRefused TestBrowserRefused"},
	{"1 Connection", "a foreign origin is refused where origins are listed", "TestRefusals TestOriginIsTheWholeHost"},
	{"1.1 Handshake", "connection_established comes first, its data a string with a socket_id of two numbers and an activity_timeout", "TestHandshake"},
	{"1.1 Handshake", "the first messages may come along with the request", "TestMessagesSentWithTheRequest"},
	{"1.2 Liveness", "pusher:ping is answered with pusher:pong, and a control ping with a control pong", "TestPings"},
	{"1.2 Liveness", "a client that is silent is pinged, and closed with 4201 when it does not answer", "TestSilentClient TestHeartbeatSettings"},
	{"1.2 Liveness", "what a client is sent does not show that it lives; one that is sent to all the time lives by its pongs (pusher-js)", "TestWhatCountsAsLife TestPusherJSStaysAlive"},
	{"1.3 Close codes", "4100 and 4200 bring a client back with all of its subscriptions (pusher-js)", "TestPusherJS TestBrowser"},
	{"1.3 Close codes", "4200 comes in slices when the server drains", "TestDrain TestClose"},
	{"1.3 Close codes", "4100 is for one who reads too slowly", "TestSlowWatcher TestTooMuchBeforeTheSuccess"},
	{"1.3 Close codes", "4009 is for a false sign-in, a missing authorisation and a terminated user", "TestFalseSignIn TestAuthorizeWithin TestTerminateUser"},
	{"1.3 Close codes", "broken framing is 1002, binary 1003, not UTF-8 1007, too long 1009; a client's close is answered with its own code", "TestBrokenFraming TestMessageSize TestClientCloses"},
	{"1.4 Errors", "nothing else that a client may say closes its connection; it is told in a pusher:error whose data is an object", "TestMessagesThatCannotBeDone FuzzInboundFrames"},
	{"2 Envelope", "the data of an event is a string, as the publisher gave it", "TestPublish TestAPIData FuzzEventFrame"},
	{"2 Envelope", "pusher: and pusher_internal: are for the server alone", "TestPublishRefuses TestMessagesThatCannotBeDone"},
	{"3 Channels", "names are of letters, digits and _-=@,.; up to a length, and # begins no other than a user's own", "TestNames TestRefusedSubscriptions"},
	{"3 Channels", "the beginning of a name, and nothing else of it, says what kind a channel is", "TestKinds TestKindsOfCacheChannels"},
	{"3.1 Subscriptions", "subscription_succeeded comes before any event, and none after the unsubscription", "TestOrderUnderRaces TestEventsWaitForTheSuccess"},
	{"3.1 Subscriptions", "events of one publisher keep their order", "TestOrderUnderRaces TestQueueKeepsOrder"},
	{"3.1 Subscriptions", "a second subscription is an error and the first stays; there is no reply to an unsubscription", "TestMessagesThatCannotBeDone TestPublish"},
	{"3.1 Subscriptions", "a refused subscription is told to its channel, with type, error and status", "TestRefusedSubscriptions TestPusherJS"},
	{"3.1 Subscriptions", "data may come as an object or as a string that holds one", "TestSubscriptionAsString"},
	{"3.1 Subscriptions", "a connection has a bounded number of them", "TestRefusedSubscriptions"},
	{"3.2 Signatures", "the documents' vectors hold", "TestChannelVectors TestAuthorizations TestRequestVector"},
	{"3.2 Signatures", "a signature is good for one socket, one channel and the exact channel_data", "TestRefusedSubscriptions TestPresenceSignature"},
	{"3.3 Auth endpoint", "nothing is signed that is not a socket id with a channel of that kind or a user", "TestAuthorizeSignsNothingElse TestHelpersSignNothingElse"},
	{"3.3 Auth endpoint", "the official SDK's answers are accepted", "TestSDKAuthorizes"},
	{"3.3 Auth endpoint", "a signed-in user may enter a presence channel without channel_data", "TestPresenceOfSignedInUser TestPusherJSSignIn"},
	{"3.4 Presence", "who enters is told all members, himself included, with count, ids and hash", "TestMembersComeAndGoOnce TestPusherJSPresence"},
	{"3.4 Presence", "a user id may be a number or a string and is the same as text; user_info is any JSON", "TestPresenceChannelData FuzzSigned"},
	{"3.4 Presence", "member_added is for the first connection of a user in the cluster, member_removed for the last; he himself is not told", "TestMembersComeAndGoOnce TestMembersAndOccupationUnderAnything TestMembersUnderRaces"},
	{"3.4 Presence", "members of a node that died are removed, those of one that lives are not lost", "TestMembersOfDeadNode TestMembersOfDeadNodeWhoseHeirCloses TestMembersOfClosedNode TestMembersOfForgottenNode TestEnteringAForgottenNode TestForgottenNodeGoesOn TestExitIsMadeUpFor"},
	{"3.4 Presence", "a step of the census whose answer was lost takes nobody out and leaves nobody in", "TestRefusedPageTakesNobodyOut TestLostAnswersOfTheCensus"},
	{"3.4 Presence", "members, the length of a user id and the size of user_info are limited: LimitReached, 4100", "TestPresenceChannelIsFull TestPresenceChannelData"},
	{"3.5 Encrypted", "the key of a channel is made from its name and the master key, and handed out as shared_secret", "TestAuthorizations"},
	{"3.5 Encrypted", "the SDK encrypts and the client decrypts; the server passes on what it cannot read", "TestPusherJSEncrypted"},
	{"3.5 Encrypted", "an event goes to one encrypted channel alone", "TestPublishRefuses TestAPIAnswers"},
	{"3.5 Encrypted", "clients send no events there", "TestRefusedClientEvents"},
	{"3.6 Cache", "the last event is sent after the success, else cache_miss", "TestCacheChannel TestPusherJSCacheChannel"},
	{"3.6 Cache", "it is kept for a time, cluster-wide, and never behind a newer one", "TestCacheChannel TestCacheDoesNotGoBack"},
	{"3.6 Cache", "events of clients and members are not kept", "TestCacheKeepsPublishedEventsOnly"},
	{"3.7 Client events", "they go to all others in the channel on all nodes, not to the sender; in presence channels with his user_id", "TestClientEvents TestClientEventSaysWhoSentIt TestPusherJSPresence"},
	{"3.7 Client events", "only where the app allows them, in private and presence channels that the sender is subscribed to, up to 10 KB", "TestRefusedClientEvents TestClientEventsOff TestPusherJSClientEventsOff"},
	{"3.7 Client events", "ten a second, else 4301, and the connection stays", "TestClientEventRate"},
	{"3.8 Subscription count", "watchers are told their number when it changes, over 100 of them at most every five seconds, but not in presence channels", "TestSubscriptionCount TestNewestCountIsToldLast TestPusherJSSubscriptionCount"},
	{"4 Users", "a good sign-in is answered with signin_success; a second as another user is an error", "TestSignIn TestPusherJSSignIn"},
	{"4 Users", "a false one is told 4009 and closed", "TestFalseSignIn"},
	{"4 Users", "#server-to-user-{id} is for connections of that user only, on all nodes", "TestMessagesToUser TestPusherJSSignIn"},
	{"4 Users", "terminate_connections closes all of a user's connections in the cluster with 4009", "TestTerminateUser TestTerminateSlowUser TestPusherJSSignIn"},
	{"4 Users", "who has neither signed in nor shown a signature in time is closed with 4009", "TestAuthorizeWithin"},
	{"4 Users", "a watchlist tells who is online, and from then on who comes and goes, by his first and last connection", "TestWatchlist TestOnlineIsToldLast TestPusherJSSignIn"},
	{"4 Users", "over 100 users are cut off with 4302", "TestWatchlistIsCutShort"},
	{"5 HTTP API", "events go to up to 100 channels, with data as string or any JSON, up to 10 KB (413)", "TestAPIAnswers TestAPIData TestSDK FuzzAPIBody"},
	{"5 HTTP API", "a batch has up to ten events and is published whole or not at all", "TestAPIAnswers TestSDK"},
	{"5 HTTP API", "socket_id leaves out that watcher, on whichever node he is", "TestSDK TestPublishReachesAllNodes"},
	{"5 HTTP API", "channels, one channel and users are the whole cluster's, with the info that is asked for", "TestCountsAreTheWholeClusters TestAPIAnswers TestCacheChannel"},
	{"5 HTTP API", "errors are 400, 401, 403, 404, 405, 413, 429 over the rate, 503 without the cluster", "TestAPIAnswers TestAPIUnauthorized TestAPIDisabledApp TestPublishRate TestAPIClusterFails"},
	{"5.1 Request signature", "it covers method, path, query and body, within ten minutes", "TestRequestVector TestSignedQuery TestAPIUnauthorized TestAPIBehindPrefix"},
	{"6 Webhooks", "they are POSTs of JSON with key and signature; a redirect is not followed", "TestWebhookOverHTTP TestWebhooksOfEvents"},
	{"6 Webhooks", "channel_occupied and channel_vacated come by turns, cluster-wide, the latter three seconds late and not when the channel is entered again", "TestWebhooksOfOccupation TestMembersAndOccupationUnderAnything"},
	{"6 Webhooks", "member_added and member_removed likewise", "TestWebhooksOfMembers TestMembersAndOccupationUnderAnything"},
	{"6 Webhooks", "client_event, cache_miss (once for many) and subscription_count", "TestWebhooksOfEvents"},
	{"6 Webhooks", "what is not answered with 2xx is sent again for five minutes, with growing pauses; what is given up is counted", "TestWebhookRetries TestWebhookQueueIsBounded TestCloseWithWebhooksWaiting"},
	{"7 Nothing missed", "a node follows a channel from before the success; without the cluster a subscription fails with 503 and may be tried again", "TestFollowsWhatIsWatched TestFollowingUnderRaces TestFollowFails TestSubscriptionWithoutTheCluster"},
	{"7 Nothing missed", "where events may have been lost those who may have missed them are sent away with 4200", "TestGap"},
	{"7 Nothing missed", "messages of several publishers that count them come in order", "TestMessagesThatCameTooEarlyWait TestOrderOfCountedMessages"},
}

// A clause without a test that is there is a clause unproven.
func TestClausesHaveTheirTests(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Fuzz")) {
				there[f.Name.Name] = true
			}
		}
	}
	for _, c := range clauses {
		tests := strings.Fields(c.tests)
		if len(tests) == 0 {
			t.Errorf("%s: %q has no test", c.topic, c.clause)
		}
		for _, name := range tests {
			if !there[name] {
				t.Errorf("%s: %q names %s, which is not there", c.topic, c.clause, name)
			}
		}
	}
}
