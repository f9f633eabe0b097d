package httpapi

import (
	"reflect"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// asTheirFields are types that encode themselves, and do it as encoding/json
// would: only faster.
var asTheirFields = []reflect.Type{
	reflect.TypeFor[tracking.Snapshot](), reflect.TypeFor[tracking.Shipment](), reflect.TypeFor[tracking.Entry](),
}

// names are those of the schemas where the Go type's would not be understood
// from outside.
var names = map[reflect.Type]string{
	reflect.TypeFor[inbox.Status]():      "WebhookStatus",
	reflect.TypeFor[inbox.Try]():         "FailedTry",
	reflect.TypeFor[webhookRow]():        "Webhook",
	reflect.TypeFor[webhookWhole]():      "WholeWebhook",
	reflect.TypeFor[exported]():          "ExportedWebhook",
	reflect.TypeFor[reading]():           "Reading",
	reflect.TypeFor[released]():          "ReleasedAddress",
	reflect.TypeFor[preview]():           "ReplayPreview",
	reflect.TypeFor[tokenRow]():          "Token",
	reflect.TypeFor[tokenMade]():         "NewToken",
	reflect.TypeFor[auditRow]():          "AuditEntry",
	reflect.TypeFor[received]():          "WebhookReceipt",
	reflect.TypeFor[refused]():           "WebhookRefusal",
	reflect.TypeFor[tracking.Contact]():  "Contact",
	reflect.TypeFor[inbox.ReplayState](): "ReplayState",
}

// enums are types that stand for a few words. Those that encode "" as null are
// null where nothing is known.
var enums = map[reflect.Type]object{
	reflect.TypeFor[tracking.Milestone](): orNothing(tracking.Milestones...),
	reflect.TypeFor[tracking.OrderStatus](): orNothing(
		tracking.OrderProcessing, tracking.OrderShipped, tracking.OrderDelivered, tracking.OrderCancelled),
	reflect.TypeFor[tracking.Direction](): oneOf(tracking.Forward, tracking.Return),
	reflect.TypeFor[tracking.LegKind]():   oneOf(tracking.LegForward, tracking.LegRTO, tracking.LegReplaced, tracking.LegReturn),
	reflect.TypeFor[inbox.Status](): oneOf(
		inbox.Pending, inbox.Processed, inbox.Failed, inbox.Duplicate, inbox.Ignored, inbox.Parked, inbox.Rejected),
	reflect.TypeFor[inbox.AlarmCode](): oneOf(inbox.AlarmCodes...),
	reflect.TypeFor[inbox.Severity]():  oneOf(inbox.Critical, inbox.Warning, inbox.Notice),
	reflect.TypeFor[inbox.ReplayState](): oneOf(
		inbox.ReplayWaiting, inbox.ReplayRunning, inbox.ReplayDone, inbox.ReplayCancelled),
	reflect.TypeFor[access.Role](): oneOf(access.Admin, access.Viewer, access.Shop),
	reflect.TypeFor[access.Act](): oneOf(
		access.CreateToken, access.RevokeToken, access.RetryWebhook, access.UnmaskWebhook, access.DismissWebhook,
		access.DismissWebhooks, access.PreviewDismissal, access.ExportWebhooks,
		access.PreviewReplay, access.CreateReplay, access.CancelReplay, access.AllowAddress, access.ForgetAddress,
		access.RegisterOrder, access.EraseOrder, access.MakeWatchToken),
}

func oneOf[T ~string](values ...T) object {
	all := make([]any, 0, len(values))
	for _, v := range values {
		all = append(all, string(v))
	}
	return object{"type": "string", "enum": all}
}

func orNothing[T ~string](values ...T) object {
	some := oneOf(values...)
	all, _ := some["enum"].([]any)
	return object{"type": []any{"string", "null"}, "enum": append(all, nil)}
}
