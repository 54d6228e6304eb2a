package rahmet

import "github.com/payhost/payhost/sdk"

// The bounds of the picture in pixels. The provider names none: below, a code is
// too small to scan, above, it would not fit into the host's message.
const (
	minImage = 100
	maxImage = 1000
)

const settingsSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "RahmetPay",
  "type": "object",
  "additionalProperties": false,
  "required": ["branch_token"],
  "properties": {
    "branch_token": {
      "title": "Branch token",
      "description": "Hash of the branch (filial) that takes the money, from Rahmet. Not the access token.",
      "type": "string",
      "minLength": 1,
      "maxLength": 512
    },
    "api_version": {
      "title": "Version of create",
      "description": "v1 answers one link; v2 one for the Rahmet mini app and one for everybody else.",
      "enum": ["v1", "v2"],
      "default": "v1"
    },
    "image_size": {
      "title": "Size of the QR picture",
      "description": "Side in pixels, 100 to 1000; 0 asks for no picture, and the payer is sent to the link.",
      "type": "integer",
      "minimum": 0,
      "maximum": 1000,
      "default": 0
    },
    "allow_tiyn": {
      "title": "Allow tiyn",
      "description": "Send amounts such as 2500.50. Ask Rahmet first: every documented one is whole.",
      "type": "boolean",
      "default": false
    }
  }
}`

// settings are a connection's settings, with their defaults.
type settings struct {
	branch    string
	v2        bool
	imageSize int64 // pixels; 0 for no picture
	tiyn      bool
}

func settingsOf(h *sdk.Host) settings {
	all := h.Settings()
	s := settings{branch: all.Get("branch_token").Str(), v2: all.Get("api_version").Str() == "v2"}
	s.imageSize, _ = all.Get("image_size").Int()
	s.tiyn, _ = all.Get("allow_tiyn").Bool()
	return s
}
