"""Who may do what: policy, roles, scopes and allow lists as data, and one pure decision over them.

policy      resource types, their actions, and how a permission matches
roles       what each role grants, and who may hand it out
catalogue   the named scopes beyond `resource:action`, and which names a client may ask for
scopes      from a scope's name to the permissions it stands for
allow_list  which single objects a token may touch
decide      (role) and (scopes) and (allow list): one object, or what a list may show
secret      how a token is written, made and checked
lifetime    how long a token lives, and that it never holds more than the token that made it
"""
