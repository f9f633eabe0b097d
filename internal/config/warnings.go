package config

import (
	"slices"
	"unicode/utf8"
)

// Warnings returns what lets the service start and is probably not meant, in
// the order of Settings.
func (c *Config) Warnings() Problems { return c.warn(sampleTokenSHA256) }

func (c *Config) warn(burned string) Problems {
	var ps Problems
	c.warnServer(&ps)
	c.warnSecrets(&ps, burned)
	c.warnLive(&ps)
	c.warnMisspelt(&ps)
	return ps.sorted()
}

func (c *Config) warnServer(ps *Problems) {
	switch {
	case c.PublicURL == nil && c.Production() && !c.given("PUBLIC_URL"): // else it is told as an error
		ps.add("PUBLIC_URL", "it is not set, so tracking links carry no host", "set it to the address that buyers use")
	case c.PublicURL != nil && c.PublicURL.Scheme == "http" && c.Production():
		ps.add("PUBLIC_URL", "it is not https, so tokens travel in the open", "put a proxy with a certificate before the service")
	}
	for _, p := range c.TrustedProxies {
		if p.Bits() == 0 {
			ps.add("TRUSTED_PROXIES", p.String()+" believes everyone, so any sender can name any address", "list your proxies alone")
		}
	}
	for _, p := range c.Shiprocket.AllowedIPs {
		if p.Bits() == 0 {
			ps.add("SHIPROCKET_ALLOWED_IPS", p.String()+" allows every address", "list Shiprocket's addresses, or say so with SHIPROCKET_IP_CHECK=off")
		}
	}
	if c.Production() && c.Shiprocket.IPCheck == Off {
		ps.add("SHIPROCKET_IP_CHECK", "the sender's address is not looked at", "use warn to see strange addresses without refusing them")
	}
}

func (c *Config) warnSecrets(ps *Problems, burned string) {
	s := c.Shiprocket
	if !c.AdminToken.IsSet() {
		ps.add("ADMIN_TOKEN", "it is not set, so only tokens made by `waybill token create` open the admin calls", makeOne)
	}
	if slices.Contains(s.WebhookTokens, c.AdminToken) || slices.Contains(s.WebhookSecrets, c.AdminToken) {
		ps.add("ADMIN_TOKEN", "it is the webhook's token too, which Shiprocket's panel shows", "make another one with: openssl rand -hex 32")
	}
	for i, t := range s.WebhookSecrets {
		if utf8.RuneCountInString(t.Reveal()) < minToken {
			ps.add("SHIPROCKET_WEBHOOK_SECRET", ordinal(i, len(s.WebhookSecrets))+" is short enough to be guessed", makeOne)
		}
	}
	if len(s.WebhookTokens) == 0 && len(s.WebhookSecrets) > 0 {
		ps.add("SHIPROCKET_WEBHOOK_TOKEN", "it is not set, and Shiprocket itself does not sign its pushes", "set a token here and in Shiprocket's panel")
	}
	for name, given := range map[string]Secret{"SHIPROCKET_EMAIL": s.Email, "SHIPROCKET_PASSWORD": s.Password} {
		if given.IsSet() {
			ps.add(name, "it is set, and nothing uses Shiprocket's REST interface yet", "take it out: what is not here cannot leak")
		}
	}
	if !c.Production() {
		c.warnDevelopment(ps, burned)
	}
}

// warnDevelopment tells what production would refuse.
func (c *Config) warnDevelopment(ps *Problems, burned string) {
	s := c.Shiprocket
	if len(s.WebhookTokens) == 0 && len(s.WebhookSecrets) == 0 {
		ps.add("SHIPROCKET_WEBHOOK_TOKEN", "neither it nor SHIPROCKET_WEBHOOK_SECRET is set: every push is answered 401", makeOne)
	}
	for i, t := range s.WebhookTokens {
		if utf8.RuneCountInString(t.Reveal()) < minToken {
			ps.add("SHIPROCKET_WEBHOOK_TOKEN", ordinal(i, len(s.WebhookTokens))+" is too short for production", makeOne)
		}
	}
	for _, group := range c.secrets() {
		for i, t := range group.values {
			if isBurned(t, burned) {
				ps.add(group.name, ordinal(i, len(group.values))+" is a published sample, refused in production", makeOne)
			}
		}
	}
}

func (c *Config) warnLive(ps *Problems) {
	s := c.Soketi
	if s.Host != "" && !c.Live.External() {
		ps.add("SOKETI_HOST", "LIVE=embedded sends nothing there", "use LIVE=external or LIVE=both, or clear it")
	}
	if c.Live == External && s.PublicHost == "" {
		ps.add("SOKETI_PUBLIC_HOST", "it is not set, so browsers look for "+s.Host+" under the service's own address",
			"set the host under which browsers reach it")
	}
	if c.PublicShipmentsChannel {
		ps.add("PUBLIC_SHIPMENTS_CHANNEL", "anyone who has the app key sees every order's id and status", "let operators use private-shipments")
	}
	if c.ShopOrderIDs {
		ps.add("SHOP_ORDER_IDS", "an order id that can be guessed lets strangers watch the order", "bring ids of 20 or more random characters")
	}
}
