"""What a file says about its own origin; it changes no answer.

`c2pa`: a file -> its Content Credentials, proved as far as that goes.
`credentials`: what they say, in words.
`metadata`: what a file states, word for word; `claims`: statements -> `origin`, what it says of itself.
`xmp`, `source_types`, `generators`, `times`: what is known of how such statements are written.
"""
