package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/inbox"
)

// A Filter chooses rows of the log. Empty fields choose all; those that are set
// must all hold.
type Filter struct {
	Status  inbox.Status
	Reason  inbox.Reason
	OrderID string // present or earlier id of an order
	AWB     string
	// Q is looked for as a whole: a webhook's, event's or order's id, an AWB,
	// Shiprocket's order id, an order number. If it is none of these, rows are
	// chosen that hold it as a part of their ids or their status word, case
	// ignored, among the newest.
	Q        string
	From, To time.Time // received at From or later, and before To
	Before   string    // only rows older than the one with this id: for deep pages
	// Dismissed chooses rows that an operator has dismissed, or all others.
	Dismissed *bool
}

// sparse reports whether no index leads to what the filter chooses: then only so
// much of the log is looked into.
func (f *Filter) sparse() bool { return f.Q != "" || f.commonReason() }

// commonReason reports whether many rows have the reason: those need no index to
// be found, and have none.
func (f *Filter) commonReason() bool {
	return f.Reason == inbox.NothingNew || f.Reason == inbox.SameEvent || f.Reason == inbox.Ping
}

// counted reports whether the rows it chooses are counted already, by status.
func (f *Filter) counted() bool {
	return f.Q == "" && f.Reason == "" && f.Dismissed == nil && f.From.IsZero() && f.To.IsZero()
}

// plainer is the filter with a reason that every row of a status has, and no
// other row, said as that status.
func (f Filter) plainer() Filter {
	for reason, status := range map[inbox.Reason]inbox.Status{inbox.Ping: inbox.Ignored, inbox.SameEvent: inbox.Duplicate} {
		if f.Reason == reason && (f.Status == "" || f.Status == status) {
			f.Reason, f.Status = "", status
		}
	}
	return f
}

// Found is one page of the log, newest first.
type Found struct {
	Rows []inbox.Webhook // without bodies, headers and tries
	// Total is how many rows the filter chooses. It is exact without a filter
	// and by status, AWB, order or whole id; otherwise counting ends at some
	// point, and TotalIsExact is false if it did.
	Total        int
	TotalIsExact bool
}

// walked is how many rows are counted, or looked into, where no index helps.
const walked = 10000

// daysWithWebhooks joins the log day by day: indexes begin with the day, so a
// look-up is one short seek for each.
const daysWithWebhooks = `(SELECT DISTINCT day FROM webhook_counts) d JOIN webhooks w ON w.day = d.day`

// Webhooks is a page of the log: rows that filter chooses, newest first, limit
// to a page; pages are counted from 1.
func (s *Store) Webhooks(ctx context.Context, filter Filter, page, limit int) (Found, error) {
	var found Found
	filter = filter.plainer()
	err := s.view(ctx, "list webhooks", func(ctx context.Context, t *tx) error {
		ids, indexed, err := t.seekFilter(ctx, filter)
		if err != nil {
			return err
		}
		skip := max(page-1, 0) * limit
		if indexed {
			found, err = t.pageOf(ctx, ids, filter.Before, skip, limit)
			return err
		}
		found, err = t.walk(ctx, filter, skip, limit)
		return err
	})
	return found, err
}

// pageOf is a page of rows whose ids are known.
func (t *tx) pageOf(ctx context.Context, ids []string, before string, skip, limit int) (Found, error) {
	found := Found{Total: len(ids), TotalIsExact: true}
	if before != "" {
		ids = slices.DeleteFunc(ids, func(id string) bool { return id >= before })
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(b, a) })
	ids = ids[min(skip, len(ids)):]
	ids = ids[:min(limit, len(ids))]
	var err error
	found.Rows, err = t.rowsOf(ctx, ids)
	return found, err
}

// rowsOf are the rows with these ids, in their order.
func (t *tx) rowsOf(ctx context.Context, ids []string) ([]inbox.Webhook, error) {
	byID := make(map[string]inbox.Webhook, len(ids))
	err := among(t.dialect, ids, func(ids []string) error {
		in, args := oneOf(t.dialect, 1, ids)
		return t.all(ctx, `
			SELECT `+shownColumns+`
			FROM webhooks
			WHERE id`+in, args, func(r *sql.Rows) error {
			w, err := scanWebhook(r)
			byID[w.ID] = w
			return err
		})
	})
	rows := make([]inbox.Webhook, 0, len(ids))
	for _, id := range ids {
		rows = append(rows, byID[id])
	}
	return rows, err
}

// walk goes through the log from its newest row, or through one status.
func (t *tx) walk(ctx context.Context, filter Filter, skip, limit int) (Found, error) {
	var found Found
	var err error
	if found.Total, found.TotalIsExact, err = t.total(ctx, filter); err != nil {
		return found, err
	}
	var c clause
	from := c.walk(filter)
	if filter.Before != "" {
		c.add("w.id < " + c.arg(filter.Before))
	}
	err = t.all(ctx, `
		SELECT `+shownColumns+`
		FROM `+from+c.where()+`
		ORDER BY id DESC
		LIMIT `+c.arg(limit)+` OFFSET `+c.arg(skip), c.args, func(rows *sql.Rows) error {
		w, err := scanWebhook(rows)
		found.Rows = append(found.Rows, w)
		return err
	})
	return found, err
}

// total is how many rows a walk would find, and whether that is exact.
func (t *tx) total(ctx context.Context, filter Filter) (n int, exact bool, err error) {
	if filter.counted() {
		err = t.one(ctx, `
			SELECT COALESCE(SUM(n), 0)
			FROM webhook_counts
			WHERE status = $1 OR $2 = ''`, []any{string(filter.Status), string(filter.Status)}, &n)
		return n, true, err
	}
	var c clause
	from := c.walk(filter)
	err = t.one(ctx, `
		SELECT COUNT(*)
		FROM (
			SELECT w.id
			FROM `+from+c.where()+`
			LIMIT `+c.arg(walked+1)+`) counted`, c.args, &n)
	exact = n <= walked
	if filter.sparse() && exact {
		exact, err = t.fewerThan(ctx, filter.Status, walked)
	}
	return min(n, walked), exact, err
}

// fewerThan reports whether the log has fewer rows than n, all or with a status.
func (t *tx) fewerThan(ctx context.Context, status inbox.Status, n int) (bool, error) {
	var rows int
	err := t.one(ctx, `
		SELECT COALESCE(SUM(n), 0)
		FROM webhook_counts
		WHERE status = $1 OR $2 = ''`, []any{string(status), string(status)}, &rows)
	return rows < n, err
}

// seekFilter finds the ids of the rows that filter chooses, if an index leads
// to them.
func (t *tx) seekFilter(ctx context.Context, filter Filter) (ids []string, indexed bool, err error) {
	switch {
	case filter.OrderID != "":
		known, err := t.idsOfOrders(ctx, filter.OrderID, "")
		if err != nil {
			return nil, false, err
		}
		ids, err = t.seek(ctx, "order_id", append(known, filter.OrderID), func(c *clause) {
			c.add("w.order_id <> ''")
			if filter.AWB != "" {
				c.add("w.awb = " + c.arg(filter.AWB))
			}
			c.like(filter.Q)
			c.common(filter)
			c.told(filter)
		})
		return ids, true, err
	case filter.AWB != "":
		ids, err = t.seek(ctx, "awb", []string{filter.AWB}, func(c *clause) {
			c.like(filter.Q)
			c.common(filter)
			c.told(filter)
		})
		return ids, true, err
	case filter.Q != "":
		ids, err = t.seekWhole(ctx, filter)
		return ids, len(ids) > 0, err
	}
	return nil, false, nil
}

// seekWhole finds the rows that q names as a whole. An event's id begins with
// the AWB, or with another number where there is none.
func (t *tx) seekWhole(ctx context.Context, filter Filter) ([]string, error) {
	q := filter.Q
	if _, err := ulid.ParseStrict(q); err == nil {
		c := clause{}
		c.add("w.id = " + c.arg(q))
		c.common(filter)
		c.told(filter)
		return t.ids(ctx, `webhooks w`, &c)
	}
	awbs := []string{q}
	for i, r := range q {
		if r == '-' {
			awbs = append(awbs, q[:i])
		}
	}
	if len(awbs) > 2 {
		awbs = append(awbs, "")
	}
	named, err := t.seek(ctx, "awb", awbs, func(c *clause) {
		c.add("(w.awb = " + c.arg(q) + " OR w.event_id = " + c.arg(q) + ")")
		c.common(filter)
		c.told(filter)
	})
	if err != nil {
		return nil, err
	}
	orders, err := t.idsOfOrders(ctx, q, q)
	if err != nil {
		return nil, err
	}
	applied, err := t.seek(ctx, "order_id", orders, func(c *clause) {
		c.add("w.order_id <> ''")
		c.common(filter)
		c.told(filter)
	})
	named = append(named, applied...)
	slices.Sort(named)
	return slices.Compact(named), err
}

// idsOfOrders are all ids, present and earlier, of the order with an id and of
// those known under an identifier.
func (t *tx) idsOfOrders(ctx context.Context, id, identifier string) ([]string, error) {
	var ids []string
	err := t.all(ctx, `
		WITH found (seq) AS (
			SELECT seq
			FROM orders
			WHERE id = $1
			UNION
			SELECT order_seq
			FROM order_aliases
			WHERE alias = $2
			UNION
			SELECT order_seq
			FROM identifiers
			WHERE kind IN ('awb', 'sr', 'number') AND value = $3)
		SELECT o.id
		FROM found JOIN orders o ON o.seq = found.seq
		UNION
		SELECT a.alias
		FROM found JOIN order_aliases a ON a.order_seq = found.seq`, []any{id, id, identifier}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find orders: %w", err)
	}
	return ids, nil
}

// seek finds rows by an index: those whose column is one of values, and for
// which the terms hold that more adds.
func (t *tx) seek(ctx context.Context, column string, values []string, more func(c *clause)) ([]string, error) {
	var all []string
	err := among(t.dialect, values, func(values []string) error {
		in, args := oneOf(t.dialect, 1, values)
		c := clause{args: args}
		c.add("w." + column + in)
		more(&c)
		ids, err := t.ids(ctx, daysWithWebhooks, &c)
		all = append(all, ids...)
		return err
	})
	return all, err
}

func (t *tx) ids(ctx context.Context, from string, c *clause) ([]string, error) {
	var ids []string
	err := t.all(ctx, `
		SELECT w.id
		FROM `+from+c.where(), c.args, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}
