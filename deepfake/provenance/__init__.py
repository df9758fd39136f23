"""What a file says about its own origin; it changes no answer.

`c2pa`: a file -> its Content Credentials, proved as far as that goes.
`credentials`: what they say, in words.
"""
