package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/tracking"
)

var _ access.Tokens = (*Store)(nil)

// maxLiveTokens bounds what every process keeps in memory of them.
const maxLiveTokens = 1000

const tokenColumns = `id, name, role, hash, created_at, created_by, expires_at, revoked_at, last_used_at`

// CreateToken keeps a new token and gives it its id; its creation is in the
// audit as the act of ctx. Conflict when there are too many live ones.
func (s *Store) CreateToken(ctx context.Context, token access.Token) (access.Token, error) {
	entry := access.EntryOf(ctx)
	if entry == nil {
		return token, errNoEntry
	}
	token.CreatedAt, token.ExpiresAt = cutTime(token.CreatedAt), cutTime(token.ExpiresAt)
	token.ID = s.auditIDs.next(token.CreatedAt)
	entry.Subject = token.ID
	err := s.change(ctx, "create token", func(ctx context.Context, t *tx) error {
		var live int
		err := t.one(ctx, `
			SELECT COUNT(*)
			FROM tokens
			WHERE revoked_at = 0 AND (expires_at = 0 OR expires_at > $1)`, []any{micros(token.CreatedAt)}, &live)
		if err != nil {
			return fmt.Errorf("count tokens: %w", err)
		}
		if live >= maxLiveTokens {
			return &tracking.Error{Code: tracking.Conflict, Message: "there are " + strconv.Itoa(live) +
				" tokens in use, which is as many as there may be; revoke those that nobody needs"}
		}
		_, err = t.exec(ctx, `
			INSERT INTO tokens (`+tokenColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
			token.ID, text(token.Name), string(token.Role), token.Hash[:], micros(token.CreatedAt), text(token.CreatedBy), micros(token.ExpiresAt))
		return err
	})
	return token, err
}

// RevokeToken makes a token good for nothing, as the act of ctx, and says what
// is kept of it. To revoke one twice does no harm. NotFound if there is none
// with this id.
func (s *Store) RevokeToken(ctx context.Context, id string, now time.Time) (access.Token, error) {
	var token access.Token
	entry := access.EntryOf(ctx)
	if entry == nil {
		return token, errNoEntry
	}
	entry.Subject = id
	err := s.change(ctx, "revoke token", func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `
			UPDATE tokens
			SET revoked_at = $1
			WHERE id = $2 AND revoked_at = 0`, micros(now), text(id))
		if err != nil {
			return err
		}
		found := false
		err = t.all(ctx, `
			SELECT `+tokenColumns+`
			FROM tokens
			WHERE id = $1`, []any{text(id)}, func(rows *sql.Rows) (err error) {
			found = true
			token, err = scanToken(rows)
			return err
		})
		if err == nil && !found {
			return notFound("token")
		}
		return err
	})
	return token, err
}

// Tokens is a page of all tokens there were, newest first, and how many there
// are in all; pages are counted from 1.
func (s *Store) Tokens(ctx context.Context, page, limit int) (tokens []access.Token, total int, err error) {
	err = s.view(ctx, "list tokens", func(ctx context.Context, t *tx) error {
		if err := t.one(ctx, `SELECT COUNT(*) FROM tokens`, nil, &total); err != nil {
			return err
		}
		return t.all(ctx, `
			SELECT `+tokenColumns+`
			FROM tokens
			ORDER BY id DESC
			LIMIT $1 OFFSET $2`, []any{limit, max(page-1, 0) * limit}, func(rows *sql.Rows) error {
			token, err := scanToken(rows)
			tokens = append(tokens, token)
			return err
		})
	})
	return tokens, total, err
}

// LiveTokens implements access.Tokens.
func (s *Store) LiveTokens(ctx context.Context, now time.Time) ([]access.Token, error) {
	var live []access.Token
	err := s.read(ctx, "read tokens", `
		SELECT `+tokenColumns+`
		FROM tokens
		WHERE revoked_at = 0 AND (expires_at = 0 OR expires_at > $1)`, []any{micros(now)}, func(rows *sql.Rows) error {
		token, err := scanToken(rows)
		live = append(live, token)
		return err
	})
	return live, err
}

// NoteTokensUsed implements access.Tokens.
func (s *Store) NoteTokensUsed(ctx context.Context, at map[string]time.Time) error {
	return s.change(ctx, "note the use of tokens", func(ctx context.Context, t *tx) error {
		for _, id := range slices.Sorted(maps.Keys(at)) { // in one order always, so that processes do not wait in a circle
			_, err := t.exec(ctx, `
				UPDATE tokens
				SET last_used_at = $1
				WHERE id = $2 AND last_used_at < $3`, micros(at[id]), id, micros(at[id]))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func scanToken(rows *sql.Rows) (access.Token, error) {
	var (
		t                                access.Token
		hash                             []byte
		created, expires, revoked, usage int64
	)
	err := rows.Scan(&t.ID, &t.Name, &t.Role, &hash, &created, &t.CreatedBy, &expires, &revoked, &usage)
	if err == nil && len(hash) != len(t.Hash) {
		err = errors.New("the hash of a token has another length")
	}
	copy(t.Hash[:], hash)
	t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.LastUsedAt = fromMicros(created), fromMicros(expires), fromMicros(revoked), fromMicros(usage)
	return t, err
}
