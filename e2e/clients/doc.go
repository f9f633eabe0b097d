// Package clients runs the official clients and server SDKs, unmodified, against
// our Pusher server: the built binary with its SOKETI_ settings, and where that has
// no setting, internal/pusher behind a plain listener. It holds tests only.
//
// "pusher-js" is pusher-js in Node and, in each of these tests, in Chromium. "SDK"
// is the official one for Node and, likewise, the one for Go; their answers to auth
// requests are what the clients of these tests subscribe and sign in with.
//
//	clause                                    client        test
//	connect, public and private channels      pusher-js     TestPusherJSChannels
//	                                          laravel-echo  TestEchoChannels
//	refused by the auth endpoint              pusher-js     TestPusherJSChannels
//	unsubscribe                               pusher-js     TestPusherJSChannels
//	                                          laravel-echo  TestEchoLeaves
//	presence channels                         pusher-js     TestPusherJSPresence
//	                                          laravel-echo  TestEchoPresence
//	encrypted channels                        pusher-js     TestPusherJSEncrypted
//	                                          laravel-echo  TestEchoEncrypted
//	                                          SDK           TestSDKEncrypts
//	LimitReached of presence channels         pusher-js     TestPusherJSPresenceIsFull
//	cache channels, of each kind              pusher-js     TestPusherJSCache
//	client events                             pusher-js     TestPusherJSClientEvents
//	                                          laravel-echo  TestEchoWhispers, TestEchoPresence
//	4301 for too many of them                 pusher-js     TestPusherJSClientEventsTooMany
//	subscription counts                       pusher-js     TestPusherJSSubscriptionCount
//	event namespaces, notifications           laravel-echo  TestEchoChannels
//	sign-in, events to a user, watchlist      pusher-js     TestPusherJSSignIn
//	activity timeout, pings of either side    pusher-js     TestPusherJSStaysAlive
//	no pong: connects anew                    pusher-js     TestPusherJSLeavesAServerThatStandsStill
//	server gone and back                      pusher-js     TestPusherJSComesBackAfterARestart
//	4000: by TLS from then on                 pusher-js     TestPusherJSSwitchesToTLS
//	4001, 4003, 4005, 4009: never again       pusher-js     TestPusherJSGivesUp
//	4004: never again                         pusher-js     TestPusherJSGivesUpOverQuota
//	4009: connections of a user are ended     pusher-js     TestPusherJSGivesUpWhenItsUserIsEnded
//	                                          SDK           TestSDKSendsToUsersAndEndsThem
//	4100: again after a second                pusher-js     TestPusherJSWaitsForRoom
//	4200: again at once                       pusher-js     TestPusherJSMovesAtOnce
//	POST events: channels, socket_id, info    SDK           TestSDKTriggers
//	POST batch_events                         SDK           TestSDKTriggersBatch
//	POST events to a user                     SDK           TestSDKSendsToUsersAndEndsThem
//	POST terminate_connections                SDK for Node  TestSDKSendsToUsersAndEndsThem
//	GET channels, channel, users, with info   SDK           TestSDKReadsChannels
//	400, 401, 413                             SDK           TestSDKHearsOfRefusals
//	auth and user auth signatures             SDK           all of the SDK's
//	webhooks and their signature              SDK           TestSDKReceivesWebhooks
//
// The acceptance tests that the SDKs for PHP and Node bring are run by hand, with
// `make sdk-suites`: they are in their repositories and in no package.
//
// The SDK for Go, 5.1.1, has no call for terminate_connections.
package clients
