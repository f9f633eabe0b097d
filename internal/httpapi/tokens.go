package httpapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/tracking"
)

// tokenWish is what a token shall be.
type tokenWish struct {
	Role    access.Role `json:"role"`
	Name    string      `json:"name"`
	Expires string      `json:"expires"` // 90d, 12h, a time or a day; "" is never
}

// tokenRow is what is told of a token. Keys are always there, null when
// unknown.
type tokenRow struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Role       access.Role   `json:"role"`
	State      string        `json:"state"` // active, revoked, expired
	CreatedAt  time.Time     `json:"createdAt"`
	CreatedBy  tracking.Text `json:"createdBy"`
	ExpiresAt  *time.Time    `json:"expiresAt"`
	RevokedAt  *time.Time    `json:"revokedAt"`
	LastUsedAt *time.Time    `json:"lastUsedAt"` // to about a minute
}

// tokenMade is a new token with its secret, which nobody is told again.
type tokenMade struct {
	tokenRow
	Secret string `json:"secret"`
}

var createTokenCall = call{
	tag: "tokens", id: "createToken", summary: "Make a token", detail: "Its secret is in this answer and nowhere else.",
	body: tokenWish{}, needed: []string{"role", "name"}, example: `{"role":"viewer","name":"Grafana","expires":"90d"}`,
	answers: []answered{giving(tokenMade{})}, fails: []tracking.Code{tracking.Conflict},
}

// POST /api/tokens
//
// Makes a token. Its secret is in this answer and nowhere else.
func (a *API) createToken(w http.ResponseWriter, r *http.Request) error {
	var in tokenWish
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	if !in.Role.Valid() {
		return invalid("role must be admin, viewer or shop")
	}
	in.Name = strings.TrimSpace(in.Name)
	if err := access.CheckName(in.Name); err != nil {
		return invalid(err.Error())
	}
	now := a.opts.Now().UTC()
	expires, err := access.ParseExpiry(in.Expires, now)
	if err != nil {
		return invalid(err.Error())
	}
	concerning(r, "", string(in.Role))
	secret := access.NewSecret(in.Role)
	token, err := a.opts.Store.CreateToken(r.Context(), access.Token{
		Name: in.Name, Role: in.Role, Hash: access.HashSecret(secret),
		CreatedAt: now, CreatedBy: access.ActorOf(r.Context()).Name, ExpiresAt: expires,
	})
	a.opts.Guard.Forget()
	if err != nil {
		return err
	}
	a.log.InfoContext(r.Context(), "token.created", "token", token.ID, "role", string(token.Role))
	return answer(w, tokenMade{asTokenRow(&token, now), secret})
}

var listTokensCall = call{
	tag: "tokens", id: "listTokens", summary: "All tokens, newest first", detail: "Those that opened nothing any more for AUDIT_RETENTION_DAYS are left out.", query: pageParams, answers: []answered{listing([]tokenRow{})},
	fails: []tracking.Code{tracking.Invalid},
}

// GET /api/tokens?page&limit
//
// All tokens that are kept, newest first.
func (a *API) listTokens(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	number, limit, err := paging(q)
	if err != nil {
		return err
	}
	tokens, total, err := a.opts.Store.Tokens(r.Context(), number, limit)
	if err != nil {
		return err
	}
	rows := make([]tokenRow, 0, len(tokens))
	for i := range tokens {
		rows = append(rows, asTokenRow(&tokens[i], a.opts.Now()))
	}
	writeJSON(w, http.StatusOK, page{
		Success: true, Data: rows, Total: total, TotalIsExact: true, TotalPages: (total + limit - 1) / limit, CurrentPage: number,
	})
	return nil
}

var revokeTokenCall = call{
	tag: "tokens", id: "revokeToken", summary: "Revoke a token", subject: "the token's id", detail: "It opens nothing from then on.",
	answers: []answered{giving(tokenRow{})}, fails: []tracking.Code{tracking.NotFound},
}

// DELETE /api/tokens/{id}
//
// Revokes a token: from now on it opens nothing. What is kept of it stays in
// the list.
func (a *API) revokeToken(w http.ResponseWriter, r *http.Request) error {
	now := a.opts.Now().UTC()
	token, err := a.opts.Store.RevokeToken(r.Context(), r.PathValue("id"), now)
	a.opts.Guard.Forget() // also after an error: it may have been committed
	if err != nil {
		return err
	}
	a.log.InfoContext(r.Context(), "token.revoked", "token", token.ID, "role", string(token.Role))
	return answer(w, asTokenRow(&token, now))
}

func asTokenRow(t *access.Token, now time.Time) tokenRow {
	return tokenRow{
		ID: t.ID, Name: t.Name, Role: t.Role, State: t.State(now), CreatedAt: t.CreatedAt.UTC(), CreatedBy: tracking.Text(t.CreatedBy),
		ExpiresAt: timeOrNull(t.ExpiresAt), RevokedAt: timeOrNull(t.RevokedAt), LastUsedAt: timeOrNull(t.LastUsedAt),
	}
}
