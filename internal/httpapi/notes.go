package httpapi

import (
	"reflect"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

// notes say of fields what their Go types do not: which words a text is, what a
// number counts. They are put over what the type makes of the field.
var notes = map[reflect.Type]map[string]object{
	reflect.TypeFor[webhookRow](): {
		"id":            about("in order of time"),
		"eventType":     about("the status word as sent"),
		"reason":        orNothing(reasons...),
		"result":        about("in words, what became of the push"),
		"error":         about("why it waits, or was given up"),
		"auth":          orNothing(shiprocket.BySignature, shiprocket.ByAPIKey, shiprocket.ByAuthorization, shiprocket.ByBearer),
		"flags":         about("unlisted_address: accepted under SHIPROCKET_IP_CHECK=warn; erased: personal data was"),
		"peer":          about("the address it came from"),
		"duplicateOf":   about("the row that the same event came with first"),
		"dismissedAt":   about("when an operator said that it needs nobody any more"),
		"nextAttemptAt": about("when it is worked off, or tried again"),
	},
	reflect.TypeFor[webhookWhole](): {
		"body":    about("as JSON; a string where it is none; null where none is kept"),
		"reading": about("what the service makes of the body; null where it cannot be read"),
		"tries":   about("the failed ones"),
	},
	reflect.TypeFor[exported](): {"body": about("as JSON; a string where it is none; null where none is kept")},
	reflect.TypeFor[reading](): {
		"kind":       oneOf(shiprocket.Event, shiprocket.Ping),
		"timeSource": orNothing(tracking.FromScan, tracking.FromDate, tracking.FromTimestamp, tracking.FromReceipt),
		"scans":      about("how many the body has"),
		"faults":     about("what could not be read, and in which field"),
	},
	reflect.TypeFor[page](): {
		"total":        about("of all pages"),
		"totalIsExact": about("false where counting was ended early"),
		"nextCursor":   about("what to send as cursor for the next page; null on the last"),
	},
	reflect.TypeFor[address](): {
		"address": about("or a range, such as 203.0.113.0/24"),
		"source":  {"enum": []any{"settings", "call"}},
	},
	reflect.TypeFor[released](): {
		"released":  about("how many rows were rejected and are worked off now"),
		"releasing": about("there are more, which follow by themselves"),
	},
	reflect.TypeFor[alarm](): {
		"mend":         about("what to do"),
		"values":       about("the addresses or statuses that it names"),
		"countIsExact": about("false past 10,000 rows, where counting ends"),
	},
	reflect.TypeFor[replay](): {
		"waitsForLive": about("it stands back while live pushes wait"),
		"failedSince":  about("rows that failed again"),
	},
	reflect.TypeFor[preview](): {
		"dryRun":  {"const": true},
		"samples": about("the oldest that would be replayed, five at most"),
	},
	reflect.TypeFor[replayFilter](): {
		"all":    about("the whole log; nothing else may be said then"),
		"status": oneOf(inbox.Pending, inbox.Processed, inbox.Failed, inbox.Duplicate, inbox.Ignored, inbox.Parked, inbox.Rejected),
		"reason": oneOf(reasons...),
		"from":   about("a time or a day (UTC)"),
		"to":     about("a time or a day (UTC)"),
	},
	reflect.TypeFor[replayRequest](): {
		"dryRun":        about("only say what would be done"),
		"ratePerSecond": {"description": "rows a second, at most; 100 when left out", "minimum": 0, "maximum": mostRate},
	},
	reflect.TypeFor[dismissal](): {"note": {"maxLength": maxNote}},
	reflect.TypeFor[registration](): {
		"id":        {"description": "an id of your own, with SHOP_ORDER_IDS=true; who knows it may watch the order", "pattern": broughtID.String()},
		"number":    {"description": "the shop's order number", "minLength": 1, "maxLength": 100},
		"srOrderId": about("Shiprocket's order id"),
		"awbCodes":  {"maxItems": 50},
		"channelId": about("the sales channel that scopes the number"),
	},
	reflect.TypeFor[order](): {
		"status":      about("null for an order that is only a return"),
		"trackingUrl": {"format": "uri"},
		"version":     about("raised by one with every live event"),
	},
	reflect.TypeFor[watchToken](): {"channel": about("the private channel that it opens")},
	reflect.TypeFor[tokenWish](): {
		"name":    {"description": "who or what uses it", "minLength": 1, "maxLength": 100},
		"expires": about("days or hours such as 90d or 12h, a time or a day (UTC), at most 3650d from now; never when left out"),
	},
	reflect.TypeFor[tokenRow](): {
		"state":      {"enum": []any{"active", "revoked", "expired"}},
		"lastUsedAt": about("to about a minute"),
	},
	reflect.TypeFor[tokenMade](): {"secret": about("what to send as the bearer token; nobody is told it again")},
	reflect.TypeFor[auditRow](): {
		"subject": about("the id of what it concerns"),
		"outcome": about(access.Done + ", or the code of what stood in the way"),
		"tokenId": about("null for ADMIN_TOKEN and the command line"),
		"actor":   about("the token's name, " + access.AdminTokenName + " or " + access.CommandLineName),
	},
	reflect.TypeFor[channelAuth](): {"auth": about("what pusher-js sends to the realtime server")},
	reflect.TypeFor[received](): {
		"eventId": about("of what was kept"),
		"status":  about("of a push that was here before: what became of it"),
	},
	reflect.TypeFor[tracking.Snapshot](): {
		"version":           about("raised by one with every live event"),
		"estimatedDelivery": day,
	},
	reflect.TypeFor[tracking.Shipment](): {
		"awbCode":                about("of the current leg"),
		"currentStatus":          about("a label, upper case"),
		"estimatedDelivery":      day,
		"firstEstimatedDelivery": day,
		"proofOfDelivery":        orNothing("image", "otp", "available", "none"),
		"corrected":              about("an end was taken back by the courier"),
		"trackingHistory":        about("oldest first"),
	},
	reflect.TypeFor[tracking.Entry](): {
		"milestone": about("null for scans that only inform"),
		"timestamp": about("when it happened"),
		"scanType":  oneOf(tracking.ScanEntry, tracking.StatusEntry),
	},
}

// day is a date without a time: the day in India.
var day = object{"format": "date", "description": "the day in India"}

func about(sentence string) object { return object{"description": sentence} }
