package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

// TokenOptions are what the commands about tokens need: the settings, for where
// the database is, what was wrong with them, and where to speak.
type TokenOptions struct {
	Config *config.Config
	Loaded error // what config.Load said
	Log    *slog.Logger
	Out    io.Writer // for what pipes and scripts read
	Err    io.Writer // for people
}

// CreateToken makes a token in the database and prints its secret, the only
// time that anyone sees it: alone on Out, so that a script can take it.
func CreateToken(ctx context.Context, opts TokenOptions, role, name, expires string) error {
	now := time.Now().UTC()
	wish := access.Token{Name: strings.TrimSpace(name), Role: access.Role(role), CreatedAt: now, CreatedBy: access.CommandLineName}
	if !wish.Role.Valid() {
		return errors.New("role must be admin, viewer or shop")
	}
	if err := access.CheckName(wish.Name); err != nil {
		return err
	}
	var err error
	if wish.ExpiresAt, err = access.ParseExpiry(expires, now); err != nil {
		return err
	}
	secret := access.NewSecret(wish.Role)
	wish.Hash = access.HashSecret(secret)
	return opts.act(ctx, access.CreateToken, string(wish.Role), func(ctx context.Context, s *store.Store) error {
		token, err := s.CreateToken(ctx, wish)
		if err != nil {
			return err
		}
		fmt.Fprintf(opts.Err, "%s token %s for %q, expires %s. This is its secret, which is not shown again:\n",
			token.Role, token.ID, token.Name, orNever(token.ExpiresAt))
		_, err = fmt.Fprintln(opts.Out, secret)
		return err
	})
}

// RevokeToken makes a token of the database good for nothing.
func RevokeToken(ctx context.Context, opts TokenOptions, id string) error {
	return opts.act(ctx, access.RevokeToken, "", func(ctx context.Context, s *store.Store) error {
		token, err := s.RevokeToken(ctx, id, time.Now().UTC())
		if tracking.ErrorCode(err) == tracking.NotFound {
			return fmt.Errorf("token not found: %q is no token's id; `waybill token list` shows them", id)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(opts.Out, "revoked %s token %s (%s)\n", token.Role, token.ID, token.Name)
		return err
	})
}

// ListTokens prints the newest tokens of the database.
func ListTokens(ctx context.Context, opts TokenOptions) error {
	return opts.open(ctx, func(s *store.Store) error {
		const most = 200
		tokens, total, err := s.Tokens(ctx, 1, most)
		if err != nil {
			return err
		}
		now := time.Now()
		w := tabwriter.NewWriter(opts.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tROLE\tSTATE\tCREATED\tEXPIRES\tLAST USED\tNAME")
		for i := range tokens {
			t := &tokens[i]
			fmt.Fprintln(w, strings.Join([]string{
				t.ID, string(t.Role), t.State(now), orNever(t.CreatedAt), orNever(t.ExpiresAt), orNever(t.LastUsedAt), t.Name,
			}, "\t"))
		}
		if total > len(tokens) {
			fmt.Fprintf(opts.Err, "the newest %d of %d; GET /api/tokens?page=2 has more\n", len(tokens), total)
		}
		return w.Flush()
	})
}

func orNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02T15:04Z")
}

// act is open for what the audit tells of.
func (o TokenOptions) act(ctx context.Context, act access.Act, detail string, do func(ctx context.Context, s *store.Store) error) error {
	return o.open(ctx, func(s *store.Store) error {
		return do(access.WithEntry(ctx, &access.Entry{At: time.Now(), Actor: access.CommandLine(), Act: act, Detail: detail}), s)
	})
}

// open opens the database for one command.
func (o TokenOptions) open(ctx context.Context, do func(s *store.Store) error) (err error) {
	// Only where the database is matters here. But there it does: another
	// database than the one that was meant would be made, and changed.
	if about := WhereDataIs(o.Loaded); about != nil {
		return about
	}
	options := storeOptions(o.Config, o.Log)
	// Servers that run elsewhere may still need the schema as it is.
	options.KeepSchema = o.Config.DatabaseURL.IsSet()
	s, err := store.Open(ctx, options)
	if errors.Is(err, store.ErrInUse) {
		url := "http://" + net.JoinHostPort(loopback(o.Config.Host), strconv.Itoa(o.Config.Port)) + "/api/tokens"
		return fmt.Errorf("%w\nA running server keeps its tokens itself: ask it with an admin's token, such as ADMIN_TOKEN,\n"+
			"  make one:  curl -H \"Authorization: Bearer $ADMIN_TOKEN\" %s -d '{\"role\":\"viewer\",\"name\":\"…\",\"expires\":\"90d\"}'\n"+
			"  list:      curl -H \"Authorization: Bearer $ADMIN_TOKEN\" %s\n"+
			"  revoke:    curl -H \"Authorization: Bearer $ADMIN_TOKEN\" -X DELETE %s/ID\n"+
			"or stop it first", err, url, url, url)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(s)
}
