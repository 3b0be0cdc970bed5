-- The member `waves` of a rollout is called `stages`. In a JSON string the quotes are escaped, so
-- that only the member itself is replaced.
UPDATE record SET
    body = convert_to(replace(convert_from(body, 'UTF8'), '"waves":', '"stages":'), 'UTF8')
WHERE kind = 'rollout';
UPDATE change SET
    old_body = convert_to(replace(convert_from(old_body, 'UTF8'), '"waves":', '"stages":'), 'UTF8'),
    new_body = convert_to(replace(convert_from(new_body, 'UTF8'), '"waves":', '"stages":'), 'UTF8')
WHERE kind = 'rollout';
